import { useCallback, useRef } from 'react';

/** The longest time worth telling, in seconds: a day. */
const longest = 86_400;

/**
 * How long something has been in view, in whole seconds. By the clock of the
 * page, which nobody sets: a device with a wrong date tells the right duration.
 */
export function secondsSince(start: number, now: number): number {
  return Math.min(longest, Math.max(0, Math.floor((now - start) / 1000)));
}

/** A function that tells how long ago the caller was first shown. */
export function useInView(): () => number {
  const start = useRef(performance.now());
  return useCallback(() => secondsSince(start.current, performance.now()), []);
}
