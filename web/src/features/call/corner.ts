/** Where one's own picture sits: always a corner, so that it never hides the other's face for good. */
export type Corner = 'top-right' | 'bottom-right' | 'bottom-left' | 'top-left';
const around: readonly Corner[] = ['top-right', 'bottom-right', 'bottom-left', 'top-left'];

/** The next corner, clockwise (keyboard, tap). */
export function nextCorner(corner: Corner): Corner {
  return around[(around.indexOf(corner) + 1) % around.length] ?? 'top-right';
}

/** The corner nearest to a point of a stage of the given size (drag). */
export function nearestCorner(x: number, y: number, width: number, height: number): Corner {
  const side = x < width / 2 ? 'left' : 'right';
  return y < height / 2 ? `top-${side}` : `bottom-${side}`;
}
