/**
 * The keyboard's place on the page. When what had the focus goes away (a
 * button that did its work, a dialog whose opener is gone), the browser puts
 * the focus on nothing and the next Tab begins at the top. Here the closest
 * part of the page that is still there takes it, so that the person goes on
 * from where they were (WCAG 2.4.3).
 */

/** Milliseconds left to those who know better: a dialog that gives the focus back, a page that brings its heading. */
const patience = 80;
const parts = 'section, [role="dialog"], dialog, main';

/** The part that takes over: the closest that still stands, else the heading of the page, else its content. */
function heir(line: readonly Element[]): HTMLElement | null {
  const part = line.find((e) => e.isConnected && e.matches(parts));
  const other = document.querySelector('h1[tabindex]') ?? document.getElementById('content');
  return (part && part.tagName !== 'MAIN' ? part : (other ?? part)) as HTMLElement | null;
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
      if (!lost()) return;
      const next = heir(line);
      if (!next) return;
      if (!next.hasAttribute('tabindex')) next.tabIndex = -1;
      next.focus({ preventScroll: true });
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
