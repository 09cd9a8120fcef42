import { Suspense, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useT } from '@/i18n/i18n';
import { LanguageSwitch, Offline, Skip, Title, type DeskView } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import styles from './encounter.module.css';

type Props = {
  title: string;
  view?: DeskView;
  onView?: (view: DeskView) => void;
  /** The call is over: the first pane sums it up. */
  over?: boolean;
  /** The person. Stays mounted whatever the view: the call goes on. */
  first?: ReactNode;
  /** The file is only read, and short: the person takes the room. */
  slim?: boolean;
  /** The file. */
  children: ReactNode;
};

/** Two panes and a bar; with the file alone, the person stays as a small picture in the corner. */
export function EncounterFrame({ title, view = 'both', onView, over = false, slim = false, first, children }: Props) {
  const t = useT('encounter');
  return (
    <div className={`desk ${styles.frame}`}>
      <Skip />
      <header className={styles.top}>
        <Link href="/pro" className={styles.back}>
          <span aria-hidden="true">←</span> {t('back')}
        </Link>
        <Title>{title}</Title>
        <div className={styles.aside}>
          {onView && (
            <Segments
              label={t('view.name')}
              value={view}
              onChange={onView}
              options={[
                { value: 'first', label: t(over ? 'view.summary' : 'view.first') },
                { value: 'both', label: t(over ? 'view.all' : 'view.both') },
                { value: 'second', label: t('view.second') },
              ]}
            />
          )}
          <LanguageSwitch />
        </div>
      </header>
      <Offline />
      <main id="content" tabIndex={-1} className={`${styles.panes} ${first ? styles[view] : styles.alone} ${slim ? styles.slim : ''}`}>
        {/* Words that come late blank their own pane for a moment, never the person. */}
        {first && (
          <div className={styles.person}>
            <Suspense fallback={null}>{first}</Suspense>
          </div>
        )}
        <div className={styles.file} hidden={view === 'first'}>
          <Suspense fallback={null}>{children}</Suspense>
        </div>
      </main>
    </div>
  );
}
