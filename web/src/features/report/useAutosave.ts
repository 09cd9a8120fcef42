import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Autosave, type Save } from './autosave';

/**
 * An Autosave that lives as long as the editor: the first value and tag are
 * those the server gave. Leaving the page with unsaved words asks first.
 */
export function useAutosave<T>(first: { value: T; tag: string }, save: Save<T>) {
  const latest = useRef(save);
  latest.current = save;
  const [autosave] = useState(() => new Autosave<T>(first.value, first.tag, (value, tag) => latest.current(value, tag)));
  const state = useSyncExternalStore(autosave.subscribe, autosave.state);
  useEffect(() => {
    const retry = () => autosave.retryNow();
    const ask = (event: BeforeUnloadEvent) => {
      if (autosave.pending()) event.preventDefault();
    };
    window.addEventListener('online', retry);
    window.addEventListener('beforeunload', ask);
    return () => {
      window.removeEventListener('online', retry);
      window.removeEventListener('beforeunload', ask);
      // Another page of the desk opens: what was typed still leaves.
      void autosave.flush().finally(() => autosave.stop());
    };
  }, [autosave]);
  return { autosave, state };
}
