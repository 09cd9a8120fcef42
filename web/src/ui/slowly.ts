import { useEffect, useState } from 'react';

/** The value once it has rested for `ms` milliseconds: one question per word, not one per letter. */
export function useSlowly<T>(value: T, ms = 200): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
