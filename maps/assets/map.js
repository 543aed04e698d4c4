/* The map of a plan: draws the features of one JSON object and wires the panel beside it.
   Positions are encoded polylines; texts come ready made and are set as text, never as HTML. */
function bookmobileMap(map, data) {
  "use strict";

  const all = (selector) => [...document.querySelectorAll(selector)];
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  function decode(text) {
    const line = [];
    let at = 0, lat = 0, lon = 0;
    const step = () => {
      let value = 0, shift = 0, part;
      do {
        part = text.charCodeAt(at++) - 63;
        value |= (part & 31) << shift;
        shift += 5;
      } while (part >= 32);
      return value & 1 ? ~(value >> 1) : value >> 1;
    };
    while (at < text.length) {
      lat += step();
      lon += step();
      line.push([lat / 1e5, lon / 1e5]);
    }
    return line;
  }

  /* ---- the ground: land and district borders, not clickable, under everything ---- */
  map.createPane("land").style.zIndex = 250;
  map.getPane("land").style.pointerEvents = "none";
  map.createPane("names").style.zIndex = 450;
  map.getPane("names").style.pointerEvents = "none";
  const ground = L.canvas({ pane: "land", padding: 0.4 });
  const under = { renderer: ground, interactive: false, pane: "land" };
  if (data.land.length) {
    L.polygon(data.land.map((ring) => [decode(ring)]), {
      ...under, color: "#a9b8c0", weight: 1, fillColor: "#faf8f2", fillOpacity: 1,
    }).addTo(map);
  }
  for (const district of data.districts) {
    L.polygon(district.rings.map((ring) => [decode(ring)]), {
      ...under, color: "#b9ab8c", weight: 1, dashArray: "5 4", fill: false,
    }).addTo(map);
  }

  /* ---- symbols: any outline on Leaflet's canvas ---- */
  L.Canvas.include({
    _drawSymbol(layer) {
      if (!this._drawing || layer._empty()) return;
      const { x, y } = layer._point, radius = layer._radius, context = this._ctx;
      context.beginPath();
      const corners = data.outlines[layer.options.shape];
      if (corners.length) {
        corners.forEach(([dx, dy], i) =>
          context[i ? "lineTo" : "moveTo"](x + radius * dx, y + radius * dy));
      } else {
        context.arc(x, y, radius, 0, 2 * Math.PI);
      }
      context.closePath();
      this._fillStroke(context, layer);
    },
  });
  const Symbol = L.CircleMarker.extend({
    _updatePath() { this._renderer._drawSymbol(this); },
  });
  const canvas = L.canvas({ padding: 0.4, tolerance: L.Browser.mobile ? 8 : 3 });

  /* ---- what is chosen ---- */
  const everyDay = new Set(data.runs.map((run) => run.day));
  let days = new Set(everyDay);
  const vehicles = new Set(data.vehicles.map((_, i) => i));
  const layers = new Set(all("[data-layer]:checked").map((box) => box.dataset.layer));
  const chosen = (run) => days.has(run.day) && vehicles.has(run.vehicle);
  const isWhole = () => days.size === everyDay.size;

  /* ---- popups ---- */
  const today = new Date().toLocaleDateString("sv"); // ISO, local
  function popupOf(item) {
    const box = make("div", undefined, "bm-pop");
    box.append(make("h3", item.name));
    box.append(tableOf(item.rows), ...datesOf(item));
    for (const [index, heading] of item.served || []) {
      const stop = data.stops[index];
      /* The first two rows, number and people, say nothing new here. */
      box.append(make("h4", heading), tableOf(stop.rows.slice(2)), ...datesOf(stop));
    }
    return box;
  }
  function tableOf(rows) {
    const table = make("table");
    for (const [label, value] of rows) {
      const row = make("tr");
      row.append(make("td", data.labels[label]), make("td", value));
      table.append(row);
    }
    return table;
  }
  function datesOf(item) {
    const parts = [];
    if (item.dates && item.dates.length) {
      const coming = item.dates.filter(([i]) => data.dates[i][0] >= today);
      const shown = (coming.length ? coming : item.dates).slice(0, 6);
      parts.push(make("div", coming.length ? data.text.next : data.text.first, "bm-note"));
      const list = make("ul");
      for (const [i, clock] of shown) list.append(make("li", `${data.dates[i][1]}, ${clock}`));
      parts.push(list);
    }
    return parts;
  }
  const show = (item) =>
    L.popup({ maxWidth: 320, autoPanPaddingTopLeft: [56, 20],
      autoPanPaddingBottomRight: [56, 20] }).setLatLng(item.at)
      .setContent(popupOf(item)).openOn(map);

  /* ---- drawing, always whole and in one order, so that nothing hides by accident ---- */
  const drawn = L.layerGroup().addTo(map);
  const lineOf = data.runs.map((run) => run.legs.map(decode));
  for (const group of ["places", "libraries", "depots", "stops"]) {
    for (const item of data[group]) item.at = decode(item.p)[0];
  }

  /* Symbols shrink when the whole region is seen and grow as one comes closer. */
  const scale = () =>
    Math.min(1.5, Math.max(0.72, 0.72 + 0.22 * (map.getZoom() - data.home_zoom)));

  const isClose = () => map.getZoom() >= data.home_zoom + 0.7;

  function symbol(item, style, extra) {
    new Symbol(item.at, {
      renderer: canvas, shape: style.shape, radius: (item.r || style.r) * scale(), color: style.stroke,
      weight: style.weight, fillColor: item.hollow ? "#fff" : style.fill, fillOpacity: 1,
      opacity: 1, bubblingMouseEvents: false, ...extra,
    }).on("click", () => show(item)).addTo(drawn);
  }

  function drawRuns(shown) {
    const few = shown.length <= 2 * data.vehicles.length;
    for (const index of shown) {
      const run = data.runs[index];
      const dash = run.roads ? null : (few ? "8 6" : "5 5");
      const line = { renderer: canvas, bubblingMouseEvents: false, dashArray: dash };
      if (few) {
        L.polyline(lineOf[index], { ...line, dashArray: null, color: "#fff", weight: 6,
          opacity: 0.85, interactive: false }).addTo(drawn);
      }
      L.polyline(lineOf[index], { ...line, color: data.vehicles[run.vehicle].colour,
        weight: few ? 3 : 1.4, opacity: few ? 0.95 : shown.length > 12 ? 0.4 : 0.7,
      }).on("click", (event) => show({ ...run, at: event.latlng })).addTo(drawn);
    }
  }

  function stopsOf(shown) {
    const order = new Map();
    for (const index of shown) {
      const run = data.runs[index];
      run.stops.forEach(([stop], i) => {
        if (!order.has(stop)) order.set(stop, { vehicle: run.vehicle, number: i + 1 });
      });
    }
    return order;
  }

  let labels = [];
  function draw() {
    drawn.clearLayers();
    labels = [];
    const shown = data.runs.map((_, i) => i).filter((i) => chosen(data.runs[i]));
    const numbered = days.size === 1;
    const faded = isWhole() ? {} : { opacity: 0.4, fillOpacity: 0.4 };
    if (layers.has("runs")) drawRuns(shown);
    for (let i = data.places.length - 1; i >= 0; i--) {
      const place = data.places[i];
      if (layers.has(place.kind)) symbol(place, data.styles[place.kind], faded);
    }
    for (const library of data.libraries) {
      if (layers.has(library.kind)) symbol(library, data.styles[library.kind], faded);
    }
    const order = stopsOf(shown);
    if (layers.has("stops")) {
      for (const [i, { vehicle, number }] of order) {
        const stop = data.stops[i], style = data.styles.stops;
        const radius = numbered ? Math.max(stop.r * scale(), 9) : stop.r * scale();
        symbol(stop, style, { radius, fillColor: data.vehicles[vehicle].colour });
        if (numbered) labels.push({ at: stop.at, text: String(number), inside: true });
        labels.push({ at: stop.at, text: stop.name, rank: numbered ? -1 : stop.rank, off: radius });
      }
    }
    if (layers.has("stops_unserved")) {
      for (const stop of data.stops) {
        if (stop.kind === "stops_unserved") symbol(stop, data.styles.stops_unserved, faded);
      }
    }
    if (layers.has("depots")) {
      for (const depot of data.depots) {
        symbol(depot, data.styles.depots);
        if (isClose()) labels.push({ at: depot.at, text: depot.name, rank: -1, off: 10 });
      }
    }
    names.redraw();
  }

  /* ---- names: as many as fit, the largest places first ---- */
  const Names = L.Layer.extend({
    onAdd() {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane("names"));
      map.on("moveend resize", this.redraw, this);
    },
    redraw() {
      const pad = 200, size = map.getSize().add([2 * pad, 2 * pad]);
      const ratio = window.devicePixelRatio || 1, element = this._canvas;
      element.width = size.x * ratio;
      element.height = size.y * ratio;
      element.style.width = size.x + "px";
      element.style.height = size.y + "px";
      L.DomUtil.setPosition(element, map.containerPointToLayerPoint([-pad, -pad]));
      const pen = element.getContext("2d");
      pen.scale(ratio, ratio);
      pen.translate(pad, pad);
      pen.lineJoin = "round";
      pen.textBaseline = "middle";
      const taken = [];
      const seen = new Set();
      const fits = (box) => !taken.some((b) =>
        box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1]);
      const put = (text, x, y, font, colour) => {
        pen.font = font;
        const width = pen.measureText(text).width, height = parseInt(font.match(/(\d+)px/)[1], 10);
        const box = [x - 2, y - height / 2 - 1, x + width + 2, y + height / 2 + 1];
        if (!fits(box)) return false;
        taken.push(box);
        pen.strokeStyle = "rgba(255,255,255,.92)";
        pen.lineWidth = 3.5;
        pen.strokeText(text, x, y);
        pen.fillStyle = colour;
        pen.fillText(text, x, y);
        return true;
      };
      const family = getComputedStyle(document.body).fontFamily;
      const inView = (point) =>
        point.x > -pad && point.y > -pad && point.x < size.x && point.y < size.y;
      for (const label of labels) {
        if (!label.inside) continue;
        const point = map.latLngToContainerPoint(label.at);
        pen.font = `700 12px ${family}`;
        pen.fillStyle = "#fff";
        pen.textAlign = "center";
        pen.fillText(label.text, point.x, point.y + 0.5);
        pen.textAlign = "left";
        taken.push([point.x - 9, point.y - 9, point.x + 9, point.y + 9]);
      }
      /* Four times as many names a zoom step; the first view shows some twenty. */
      const limit = 18 * Math.pow(3.2, map.getZoom() - data.home_zoom);
      const queue = labels.filter((l) => !l.inside).concat(data.places.map((place, i) => (
        { at: place.at, text: place.name, rank: i, off: 5, strong: i < 12 })));
      queue.sort((a, b) => a.rank - b.rank);
      for (const label of queue) {
        if (label.rank > limit) break;
        const key = label.text + label.at;
        if (seen.has(key)) continue;
        const point = map.latLngToContainerPoint(label.at);
        if (!inView(point)) continue;
        const font = `${label.strong ? 600 : 400} ${label.strong ? 13 : 12}px ${family}`;
        if (put(label.text, point.x + label.off + 3, point.y, font, "#20262c")) seen.add(key);
      }
      for (const district of isClose() ? data.districts : []) {
        const point = map.latLngToContainerPoint(decode(district.p)[0]);
        if (!inView(point)) continue;
        pen.font = `italic 12px ${family}`;
        const width = pen.measureText(district.name).width;
        put(district.name, point.x - width / 2, point.y, `italic 12px ${family}`, "#8a7a54");
      }
    },
  });
  const names = new Names();

  /* ---- the panel ---- */
  function detail() {
    const box = document.getElementById("bm-detail");
    if (!box) return;
    box.replaceChildren();
    if (days.size !== 1) {
      box.append(make("p", data.text.choose, "bm-note"));
      return;
    }
    for (const run of data.runs.filter(chosen)) {
      const { colour } = data.vehicles[run.vehicle];
      const section = make("section", undefined, "bm-run");
      section.style.borderColor = colour;
      section.append(make("h3", run.name), make("div", run.brief, "bm-note"));
      const list = make("ol");
      run.stops.forEach(([stop, clock], i) => {
        const button = make("button");
        button.type = "button";
        const number = make("span", String(i + 1), "bm-no");
        number.style.background = colour;
        button.append(number, make("span", clock, "bm-at"), make("span", data.stops[stop].name));
        button.addEventListener("click", () => show(data.stops[stop]));
        const item = make("li");
        item.append(button);
        list.append(item);
      });
      section.append(list);
      box.append(section);
    }
    box.scrollIntoView({ block: "nearest" });
  }

  const dayButtons = all("button[data-days]");
  for (const button of dayButtons) {
    button.addEventListener("click", () => {
      const wanted = button.dataset.days.split(" ").map(Number).filter((d) => everyDay.has(d));
      const isPressed = button.getAttribute("aria-pressed") === "true";
      days = new Set(isPressed ? everyDay : wanted);
      for (const other of dayButtons) {
        const whole = isWhole() && other.classList.contains("bm-all");
        other.setAttribute("aria-pressed", whole || (!isPressed && other === button));
      }
      map.closePopup();
      draw();
      detail();
      if (!isWhole()) fit(data.runs.flatMap((run, i) => (chosen(run) ? lineOf[i].flat() : [])));
      else fit();
    });
  }
  const set = (members, key, isIn) => (isIn ? members.add(key) : members.delete(key));
  for (const box of all("[data-vehicle]")) {
    box.addEventListener("change", () => {
      set(vehicles, Number(box.dataset.vehicle), box.checked);
      draw();
      detail();
    });
  }
  for (const box of all("[data-layer]")) {
    box.addEventListener("change", () => {
      set(layers, box.dataset.layer, box.checked);
      draw();
    });
  }

  const find = document.getElementById("bm-find");
  const list = document.getElementById("bm-places");
  const byText = new Map();
  for (const place of data.places) {
    for (const name of [place.name, place.other]) {
      const text = place.where ? `${name} (${place.where})` : name;
      if (name && !byText.has(text)) byText.set(text, place);
    }
  }
  find.addEventListener("focus", () => {
    if (list.children.length) return;
    for (const text of byText.keys()) list.append(new Option(text, text));
  });
  find.addEventListener("change", () => {
    const wanted = find.value.trim().toLowerCase();
    if (!wanted) return;
    const found = byText.get(find.value)
      || data.places.find((place) =>
        [place.name, place.other || ""].some((name) => name.toLowerCase().startsWith(wanted)));
    if (!found) return;
    map.setView(found.at, Math.max(map.getZoom(), data.home_zoom + 2.5), { animate: false });
    show(found);
  });

  const toggle = document.getElementById("bm-toggle");
  function setPanel(isOpen) {
    document.body.classList.toggle("bm-closed", !isOpen);
    toggle.setAttribute("aria-expanded", isOpen);
    toggle.setAttribute("aria-label", isOpen ? toggle.dataset.close : toggle.dataset.open);
    toggle.textContent = isOpen ? "×" : `☰ ${toggle.dataset.open}`;
    map.invalidateSize({ animate: false, pan: false });
  }
  toggle.addEventListener("click", () => setPanel(document.body.classList.contains("bm-closed")));

  const online = document.querySelector("[data-online]");
  if (online) {
    const tiles = L.tileLayer("https://tile.openstreetmap.org/{z}/{x}/{y}.png", {
      maxZoom: 19, attribution: data.text.osm,
    });
    online.addEventListener("change", () => {
      if (online.checked) tiles.addTo(map);
      else tiles.remove();
      map.getPane("land").style.opacity = online.checked ? 0.25 : 1;
    });
  }

  function fit(points) {
    const bounds = L.latLngBounds(points && points.length ? points : data.bounds);
    map.fitBounds(bounds, { padding: [18, 18], animate: false, maxZoom: 13 });
  }

  map.invalidateSize({ animate: false });
  map.attributionControl.setPrefix("Leaflet");
  for (const credit of data.credits) map.attributionControl.addAttribution(credit);
  L.control.zoom({ position: "topright", zoomInTitle: data.text.zoom_in,
    zoomOutTitle: data.text.zoom_out }).addTo(map);
  const Scale = L.Control.Scale.extend({
    _updateMetric(most) {
      const metres = this._getRoundNum(most);
      const text = metres < 1000
        ? `${metres} ${data.text.unit_m}` : `${metres / 1000} ${data.text.unit_km}`;
      this._updateScale(this._mScale, text, metres / most);
    },
  });
  new Scale({ imperial: false, position: "bottomright" }).addTo(map);
  fit();
  data.home_zoom = map.getZoom();
  map.setMinZoom(Math.max(1, data.home_zoom - 2));
  names.addTo(map);
  draw();
  detail();
  map.on("zoomend", draw);
  document.body.dataset.ready = "true";
}
