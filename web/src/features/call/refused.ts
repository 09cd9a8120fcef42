import { useCallback, useEffect, useState } from 'react';

/**
 * Sound that the browser refuses before somebody touches the page (opened from a bookmark, loaded again): asked for
 * again by a button, or by whatever is touched or typed first.
 */
export function useRefusedSound(wake: () => Promise<void>) {
  const [refused, setRefused] = useState(false);
  const resume = useCallback(() => {
    setRefused(false);
    void wake();
    for (const audio of document.querySelectorAll<HTMLAudioElement>('audio[data-sound]')) void audio.play().catch(() => setRefused(true));
  }, [wake]);
  useEffect(() => {
    if (!refused) return;
    const gestures = ['click', 'keydown'] as const;
    for (const gesture of gestures) document.addEventListener(gesture, resume);
    return () => {
      for (const gesture of gestures) document.removeEventListener(gesture, resume);
    };
  }, [refused, resume]);
  return { refused, refuse: useCallback(() => setRefused(true), []), resume };
}
