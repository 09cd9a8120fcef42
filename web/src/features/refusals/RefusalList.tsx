/** Refusals, the newest first, page by page. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Refusal, RefusedPerson } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { sayArea, sayPerson, sayReason } from './words';
import styles from './refusals.module.css';

export function RefusalList({ search, onPerson }: { search: desk.RefusalSearch; onPerson?: (p: RefusedPerson) => void }) {
  const t = useT('refusals');
  const found = useInfiniteQuery({
    queryKey: ['refusals', search],
    queryFn: ({ pageParam }) => desk.refusals(search, pageParam || undefined),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    refetchOnWindowFocus: false, // each reading is in the audit
  });
  if (found.isPending) {
    return (
      <Loading what={t('loadingLog')}>
        <Lines count={5} />
      </Loading>
    );
  }
  if (found.isError && !found.data) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  const items = found.data.pages.flatMap((p) => p.items);
  if (items.length === 0) {
    return (
      <div className={styles.nothing}>
        <p className={styles.nothingTitle}>{t('none.log')}</p>
        <p>{t('none.log.now')}</p>
      </div>
    );
  }
  return (
    <>
      <ol role="list" className={styles.rows}>
        {items.map((r) => (
          <Row key={r.id} refusal={r} {...(onPerson ? { onPerson } : {})} />
        ))}
      </ol>
      {found.isError && <DeskFailure problem={asProblem(found.error)} />}
      {found.hasNextPage && (
        <Button look="secondary" onPress={() => void found.fetchNextPage()} busy={found.isFetchingNextPage}>
          {t('more')}
        </Button>
      )}
    </>
  );
}

function Row({ refusal: r, onPerson }: { refusal: Refusal; onPerson?: (p: RefusedPerson) => void }) {
  const t = useT('refusals');
  const { language } = useLanguage();
  const now = useNow();
  const about = [sayArea(t, r.area), r.ref && t('log.ref', { ref: r.ref })].filter(Boolean).join(' ');
  const often = [r.count > 1 && t('log.times', { count: r.count }), (r.objects ?? 0) > 1 && t('log.objects', { count: r.objects ?? 0 })].filter(Boolean).join(' · ');
  return (
    <li className={styles.row}>
      <span className={styles.when}>{sayDateTime(r.at, now, clinicZone, language)}</span>
      <span>
        {onPerson ? (
          <button type="button" className={styles.person} onClick={() => onPerson(r.person)}>
            {sayPerson(t, r.person)}
          </button>
        ) : (
          sayPerson(t, r.person)
        )}
      </span>
      <span>
        {sayReason(t, r.reason)}
        <span className={styles.soft}> {about}</span>
        {r.refs && (
          <details className={styles.refs}>
            <summary>{t('log.refs', { count: r.refs.length })}</summary>
            <p>{r.refs.map((ref) => `…${ref}`).join(' · ')}</p>
          </details>
        )}
        {(r.missing ?? 0) > 0 && <strong className={styles.missing}>{t('log.missing', { count: r.missing ?? 0 })}</strong>}
      </span>
      <span className={styles.count}>{often}</span>
    </li>
  );
}
