/** The two shapes of a page: one column for patients, two panes at the professional's desk. */
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { languages, useLanguage, useT } from '@/i18n/i18n';
import { useOnline } from './online';
import styles from './Page.module.css';

/** The other language, named in itself. */
export function LanguageSwitch() {
  const { language, setLanguage } = useLanguage();
  const names = { fr: 'Français', en: 'English' } as const;
  // One and the same button whatever it says, so that it keeps the focus.
  const other = languages.find((l) => l !== language) ?? language;
  return (
    <button type="button" lang={other} className={styles.language} onClick={() => setLanguage(other)}>
      {names[other]}
    </button>
  );
}

/** Says that the connection is gone, for as long as it is, and that nothing typed is lost. */
export function Offline() {
  const online = useOnline();
  const t = useT('app');
  return (
    <div role="status" className={online ? undefined : styles.offline}>
      {online ? '' : t('offline')}
    </div>
  );
}

type TopProps = { home?: string; aside?: ReactNode };

export function Top({ home = '/', aside }: TopProps) {
  return (
    <header className={styles.top}>
      <Link href={home} className={styles.brand}>
        vis<span aria-hidden="true">·</span>à<span aria-hidden="true">·</span>vis
      </Link>
      <div className={styles.aside}>
        {aside}
        <LanguageSwitch />
      </div>
    </header>
  );
}

export function Skip() {
  const t = useT('app');
  return (
    <a href="#content" className={styles.skip} onClick={focusContent}>
      {t('skip')}
    </a>
  );
}

// The hash of the join page is a secret that must not be replaced by a jump.
function focusContent(event: { preventDefault: () => void }) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

/**
 * Page of a patient or of anyone: one column, the main action always at the
 * bottom of the screen, under the thumb.
 */
export function PatientPage({ title, ownHeading = false, lead, action, children, aside }: {
  title: string;
  /** The content brings its own first heading: the title is the tab's only. */
  ownHeading?: boolean;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
  aside?: ReactNode;
}) {
  return (
    <div className={styles.patient}>
      <Skip />
      <Top aside={aside} />
      <Offline />
      <main id="content" tabIndex={-1} className={styles.column}>
        {ownHeading ? <TabTitle>{title}</TabTitle> : <Title>{title}</Title>}
        {lead && <div className={styles.lead}>{lead}</div>}
        {children}
        {action && <div className={styles.action}>{action}</div>}
      </main>
    </div>
  );
}

/** Heading of the page, also the tab's title; it takes the focus when the page changes so that it is read. */
export function Title({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} – vis-à-vis`;
    if (document.activeElement === document.body || document.activeElement === null) heading.current?.focus({ preventScroll: true });
  }, [children]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Title of the tab for a page whose heading is in its content, which takes the focus. */
function TabTitle({ children }: { children: string }) {
  useEffect(() => {
    document.title = `${children} – vis-à-vis`;
    if (document.activeElement === document.body || document.activeElement === null) document.getElementById('content')?.focus({ preventScroll: true });
  }, [children]);
  return null;
}

/** A part of a page, set apart by space and a line, never by a box. */
export function Section({ title, children, id }: { title?: string; children: ReactNode; id?: string }) {
  return (
    <section className={styles.section} aria-labelledby={title && id ? id : undefined}>
      {title && <h2 id={id}>{title}</h2>}
      {children}
    </section>
  );
}

/** Label and value pairs. */
export function Facts({ items }: { items: readonly { label: string; value: ReactNode }[] }) {
  return (
    <dl className={styles.facts}>
      {items.map((i) => (
        <div key={i.label}>
          <dt>{i.label}</dt>
          <dd>{i.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Which part of a two-pane desk is shown: both side by side, or one over the whole width. */
export type DeskView = 'both' | 'first' | 'second';

/**
 * Page of a professional: one bar, then one pane or two. With two panes (the
 * person, the file) either can take the whole width; below 900 px they are
 * one above the other.
 */
export function DeskPage({ title, nav, aside, first, second, view = 'both', children }: {
  title: string;
  nav?: ReactNode;
  aside?: ReactNode;
  first?: ReactNode;
  second?: ReactNode;
  view?: DeskView;
  children?: ReactNode;
}) {
  return (
    <div className={`desk ${styles.desk}`}>
      <Skip />
      <Top home="/pro" aside={aside} />
      {nav && <nav className={styles.nav}>{nav}</nav>}
      <Offline />
      <main id="content" tabIndex={-1} className={second ? `${styles.panes} ${styles[view]}` : styles.board}>
        {second ? (
          <>
            <div className={styles.pane} hidden={view === 'second'}>
              {first}
            </div>
            <div className={styles.pane} hidden={view === 'first'}>
              <Title>{title}</Title>
              {second}
            </div>
          </>
        ) : (
          <>
            <Title>{title}</Title>
            {children}
          </>
        )}
      </main>
    </div>
  );
}

/** Re-renders every `ms` milliseconds, for times that are said relative to now. */
export function useNow(ms = 30_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

