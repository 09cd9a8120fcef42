/**
 * The keyboard's place on the page. When what had the focus goes away (a
 * button that did its work, a dialog whose opener is gone), the browser puts
 * the focus on nothing and the next Tab begins at the top. Here the closest
 * part of the page that is still there takes it, so that the person goes on
 * from where they were (WCAG 2.4.3).
 */

/** Milliseconds left to those who know better: a dialog that gives the focus back, a page that brings its heading. */
const patience = 80;
const parts = 'section, dialog';

/** Who may take over: the closest parts that still stand, then the heading of the page, then its content. */
function heirs(line: readonly Element[]): HTMLElement[] {
  const around = line.filter((e) => e.isConnected && e.matches(parts));
  return [...around, document.querySelector('h1[tabindex]'), document.getElementById('content')].filter((e) => e instanceof HTMLElement);
}

/** A part that is not shown (a dialog just closed) does not take the focus: the next one is asked. */
function passOn(line: readonly Element[]) {
  for (const next of heirs(line)) {
    if (!next.hasAttribute('tabindex')) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    if (document.activeElement === next) return;
  }
}

export function keepFocus(root: HTMLElement): () => void {
  let line: Element[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const seen = (e: FocusEvent) => {
    line = [];
    for (let at = e.target as Element | null; at; at = at.parentElement) line.push(at);
  };
  const lost = () => line[0]?.isConnected === false && (document.activeElement === document.body || document.activeElement === null);
  const watch = new MutationObserver(() => {
    if (timer !== undefined || !lost()) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (lost()) passOn(line);
    }, patience);
  });
  root.addEventListener('focusin', seen);
  watch.observe(root, { childList: true, subtree: true });
  return () => {
    clearTimeout(timer);
    root.removeEventListener('focusin', seen);
    watch.disconnect();
  };
}
