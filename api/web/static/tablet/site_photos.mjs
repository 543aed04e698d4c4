// Photos of the stops' ground, taken along with the day. They show no reader: everybody may see them.

import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import { t } from "../words.mjs";
import { day } from "./day.mjs";
import { html } from "./parts.mjs";
import { got, PIECES, within } from "./store.mjs";

const PREFIX = "site/";
const RANGE = () => IDBKeyRange.bound(PREFIX, `${PREFIX}\uffff`);
const addressOf = (told, name) => `/api/v1/regions/${encodeURIComponent(told.region.region_id)}/photos/${encodeURIComponent(name)}`;

/** Fetch the photos of a day's stops that are not here; those of other days leave. */
export async function takePhotos(told) {
  const wanted = new Set(told.run.stops.map((stop) => stop.site?.photo).filter(Boolean));
  const here = await within([PIECES], "readwrite", async ({ pieces }) => {
    const keys = await got(pieces.getAllKeys(RANGE()));
    for (const key of keys) if (!wanted.has(key.slice(PREFIX.length))) pieces.delete(key);
    return new Set(keys);
  });
  for (const name of wanted) {
    if (here.has(PREFIX + name)) continue;
    const answer = await fetch(addressOf(told, name)).catch(() => null);
    if (!answer?.ok) continue;
    const bytes = await answer.arrayBuffer();
    await within([PIECES], "readwrite", ({ pieces }) => got(pieces.put(bytes, PREFIX + name)));
  }
}

/** The photo of a stop's ground: the one taken along, else the network's. */
export function SitePhoto({ stop }) {
  const { photo } = stop.site;
  const [url, setUrl] = useState(null);
  useEffect(() => {
    let own = null;
    let isGone = false;
    within([PIECES], "readonly", ({ pieces }) => got(pieces.get(PREFIX + photo))).catch(() => undefined).then((bytes) => {
      if (isGone) return;
      if (bytes !== undefined) own = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      setUrl(own ?? addressOf(day.value, photo));
    });
    return () => {
      isGone = true;
      if (own !== null) URL.revokeObjectURL(own);
    };
  }, [photo]);
  if (url === null) return null;
  return html`<img class="t-site-photo" src=${url} alt=${t("tablet.site.photo", { name: stop.name })} onError=${() => setUrl(null)} />`;
}
