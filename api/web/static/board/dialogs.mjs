// The dialog that is open. Everything that can be dragged can be done in one by keyboard.

import { useEffect, useRef } from "../vendor/preact/hooks.mjs";
import { t } from "../words.mjs";
import { stopTrying } from "./actions.mjs";
import { close } from "./parts.mjs";
import { ConflictDialog, ReplanDialog } from "./plan_dialogs.mjs";
import { DayDialog, RunDialog } from "./run_dialogs.mjs";
import { dialog } from "./state.mjs";
import { SpotDialog, StopDialog } from "./stop_dialogs.mjs";
import { html } from "./view.mjs";
import { SeriesDialog, VisitDialog } from "./visit_dialogs.mjs";

const KINDS = {
  visit: VisitDialog, series: SeriesDialog, run: RunDialog, day: DayDialog,
  stop: StopDialog, spot: SpotDialog, conflict: ConflictDialog, replan: ReplanDialog,
};

/** The dialog that is open, if any. */
export function OpenDialog() {
  const held = dialog.value;
  if (held === null) return null;
  return html`<${Frame} key=${JSON.stringify(held)} label=${t(`board.dialog.${held.kind}`)}>
    <${KINDS[held.kind]} ...${held} />
  <//>`;
}

function Frame({ label, children }) {
  const box = useRef(null);
  useEffect(() => {
    const opener = document.activeElement;
    box.current.showModal();
    return () => {
      stopTrying();
      if (opener?.isConnected) opener.focus();
    };
  }, []);
  return html`<dialog class="board-dialog" ref=${box} aria-label=${label}
    onClose=${close} onCancel=${close}
    onClick=${(event) => { if (event.target === box.current) close(); }}>
    <div class="dialog-in">${children}</div>
  </dialog>`;
}
