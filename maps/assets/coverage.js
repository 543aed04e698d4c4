/* The map of access coverage: shaded municipalities, settlements as dots, before and after.
   Positions are whole hundred-thousandths of a degree; texts are set as text, never as HTML. */
function coverageMap(map, data) {
  "use strict";

  const all = (selector) => [...document.querySelectorAll(selector)];
  const point = (lat, lon) => [lat / 1e5, lon / 1e5];
  function ring(flat) {
    const line = [];
    let lat = 0, lon = 0;
    for (let i = 0; i < flat.length; i += 2) line.push(point((lat += flat[i]), (lon += flat[i + 1])));
    return line;
  }
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  function popup(at, name, rows) {
    const box = make("div", undefined, "bm-pop");
    box.append(make("h3", name));
    const table = make("table");
    for (const [label, value] of rows) {
      const row = make("tr");
      row.append(make("td", data.labels[label]), make("td", value));
      table.append(row);
    }
    box.append(table);
    L.popup({ maxWidth: 320 }).setLatLng(at).setContent(box).openOn(map);
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
  const panes = {};
  for (const [name, order] of [["ground", 250], ["shade", 300], ["areas", 350], ["dots", 420]]) {
    map.createPane(name).style.zIndex = order;
    panes[name] = L.canvas({ pane: name, padding: 0.4, tolerance: L.Browser.mobile ? 8 : 3 });
  }
  map.getPane("ground").style.pointerEvents = "none";
  map.getPane("areas").style.pointerEvents = "none";

  const groups = {
    districts: L.layerGroup(), places: L.layerGroup(), libraries: L.layerGroup(),
    stops: L.layerGroup(), library_area: L.layerGroup(), stop_area: L.layerGroup(),
  };
  let side = 1;

  if (data.land.length) {
    L.polygon(data.land.map((flat) => [ring(flat)]), {
      renderer: panes.ground, pane: "ground", interactive: false,
      color: "#a9b8c0", weight: 1, fillColor: "#faf8f2", fillOpacity: 1,
    }).addTo(map);
  }

  const shaded = data.districts.map((district) =>
    L.polygon(district.rings.map((flat) => [ring(flat)]), {
      renderer: panes.shade, pane: "shade", color: "#5a6570", weight: 1, fillOpacity: 0.55,
      fillColor: district.shade[side],
    }).on("click", (event) => {
      if (!map.dotClicked) popup(event.latlng, district.name, district.rows);
    }).addTo(groups.districts));

  for (const [name, colour] of [["library_area", "#2f6b4d"], ["stop_area", "#123f82"]]) {
    if (!data[name].length) continue;
    L.polygon(data[name].map((rings) => rings.map(ring)), {
      renderer: panes.areas, pane: "areas", interactive: false,
      color: colour, weight: 1, fillOpacity: 0.25,
    }).addTo(groups[name]);
  }

  const scale = () => Math.min(1.7, Math.max(0.75, 0.75 + 0.22 * (map.getZoom() - home)));
  let home = 8;
  function dot(at, style, click, group) {
    return new Symbol(at, {
      renderer: panes.dots, pane: "dots", shape: style.shape, radius: style.r * scale(),
      color: style.stroke, weight: style.weight, fillColor: style.fill, fillOpacity: 1,
      bubblingMouseEvents: false,
    }).on("click", click).addTo(group);
  }
  /* Who has nothing in reach lies on top; an order that a zoom does not change. */
  const ordered = [...data.places];
  function drawDots() {
    for (const name of ["places", "libraries", "stops"]) groups[name].clearLayers();
    ordered.sort((a, b) => b[3 + side] - a[3 + side]);
    for (const [lat, lon, name, before, after, rows] of ordered) {
      const at = point(lat, lon);
      const told = [["before", nameOf(before)], ["after", nameOf(after)], ...rows];
      dot(at, data.symbols[side ? after : before], () => popup(at, name, told), groups.places);
    }
    for (const [lat, lon, names, standing] of data.libraries) {
      const at = point(lat, lon);
      const title = names.length ? names.slice(0, 6).join(", ") : data.labels.library;
      dot(at, data.library_symbols[standing], () => popup(at, title, []), groups.libraries);
    }
    for (const [lat, lon, name] of data.stops) {
      const at = point(lat, lon);
      dot(at, data.stop_symbol, () => popup(at, name, []), groups.stops);
    }
  }
  const names = all(".bc-legend tbody th").map((cell) => cell.textContent.trim());
  const nameOf = (reach) => names[names.length - 1 - reach];

  for (const box of all("[data-layer]")) {
    const group = groups[box.dataset.layer];
    const turn = () => (box.checked ? group.addTo(map) : group.remove());
    box.addEventListener("change", turn);
    turn();
  }
  for (const radio of all("[name=side]")) {
    radio.addEventListener("change", () => {
      side = Number(radio.value);
      shaded.forEach((layer, i) => layer.setStyle({ fillColor: data.districts[i].shade[side] }));
      drawDots();
    });
  }
  const toggle = document.getElementById("toggle");
  toggle.addEventListener("click", () => {
    const closed = document.body.classList.toggle("bm-closed");
    toggle.setAttribute("aria-expanded", String(!closed));
    toggle.setAttribute("aria-label", closed ? toggle.dataset.open : toggle.dataset.close);
    toggle.textContent = closed ? "»" : "«";
    map.invalidateSize();
  });

  map.invalidateSize({ animate: false });
  map.attributionControl.setPrefix("Leaflet");
  for (const credit of data.credits) map.attributionControl.addAttribution(credit);
  L.control.zoom({ position: "topright", zoomInTitle: data.text.zoom_in,
    zoomOutTitle: data.text.zoom_out }).addTo(map);
  const every = data.places.map(([lat, lon]) => point(lat, lon));
  map.fitBounds(every.length ? every : [[-60, -170], [75, 170]],
    { padding: [18, 18], animate: false, maxZoom: 13 });
  home = map.getZoom();
  map.setMinZoom(Math.max(1, home - 2));
  drawDots();
  map.on("zoomend", drawDots);
  document.body.dataset.ready = "true";
}
