/** Says to screen readers what sighted people see change (someone came in, a message arrived). */
import { createContext, useCallback, useContext, useRef, type ReactNode } from 'react';
import styles from './Announcer.module.css';

type Announce = (message: string, urgency?: 'polite' | 'assertive') => void;
const AnnouncerContext = createContext<Announce>(() => undefined);

/** Milliseconds a sentence stays, long after it was read. */
const kept = 10_000;

export function Announcer({ children }: { children: ReactNode }) {
  const polite = useRef<HTMLDivElement>(null);
  const assertive = useRef<HTMLDivElement>(null);
  const announce = useCallback<Announce>((message, urgency = 'polite') => {
    // An open dialog silences the page behind it, this region too: it has its own.
    const inside = [...document.querySelectorAll('dialog[open] [data-announcer]')].at(-1);
    const region = inside ?? (urgency === 'polite' ? polite : assertive).current;
    if (!region) return;
    // Each sentence is an addition of its own: two at once are both read, and so is the same one twice.
    const line = document.createElement('p');
    line.textContent = message;
    region.append(line);
    setTimeout(() => line.remove(), kept);
  }, []);
  return (
    <AnnouncerContext value={announce}>
      {children}
      <div ref={polite} className={styles.hidden} role="status" aria-live="polite" aria-atomic="false" />
      <div ref={assertive} className={styles.hidden} role="alert" aria-live="assertive" aria-atomic="false" />
    </AnnouncerContext>
  );
}

export function useAnnounce(): Announce {
  return useContext(AnnouncerContext);
}

/** Where things are said while a dialog is open; part of the dialog. */
export function InnerRegion() {
  return <div data-announcer="" className={styles.hidden} role="status" aria-live="polite" aria-atomic="false" />;
}

/** Text for screen readers only. */
export function Hidden({ children }: { children: ReactNode }) {
  return <span className={styles.hidden}>{children}</span>;
}
