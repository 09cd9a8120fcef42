/**
 * A double click is one wish. When its first click replaced what was under the
 * pointer, the second one falls on something that the person has not seen yet
 * ("correct", "cancel", "end"): there it does nothing.
 */
const pressable = 'button, a, summary';

export function ignoreSecondClick(root: Document) {
  let first: Element | null = null;
  const clicked = (e: MouseEvent) => {
    const target = (e.target as Element).closest(pressable);
    // detail: the number of this click among those at one place, quick after each other; 0 from the keyboard.
    if (e.detail < 2) first = target;
    else if (target !== first) {
      e.preventDefault();
      e.stopPropagation();
    }
  };
  root.addEventListener('click', clicked, true);
  return () => root.removeEventListener('click', clicked, true);
}
