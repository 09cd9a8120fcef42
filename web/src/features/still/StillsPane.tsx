/** The photos of an act: small by CSS, each fetched once, checked against the hash it was kept with, large and saved on demand. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { asProblem, Problem } from '@/api/client';
import * as calls from '@/api/calls';
import * as desk from '@/api/desk';
import type { Still } from '@/api/types';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayTime } from '@/i18n/time';
import { Lines, Loading } from '@/ui/Loading';
import styles from './still.module.css';

/** The photos of an act, read again when the call says that there is one more. */
export function useStills(encounterId: string, enabled: boolean) {
  return useQuery({ queryKey: ['stills', encounterId], queryFn: () => desk.stills(encounterId), enabled, staleTime: 60_000 });
}

export function StillsPane({ encounterId }: { encounterId: string }) {
  const t = useT('still');
  const found = useStills(encounterId, true);
  if (found.isPending) {
    return (
      <Loading what={t('loading')}>
        <Lines count={3} tall />
      </Loading>
    );
  }
  if (found.isError) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  if (found.data.items.length === 0) return <p className={styles.soft}>{t('none')}</p>;
  return (
    <ul role="list" className={styles.grid}>
      {found.data.items.map((s) => (
        <li key={s.id}>
          <Photo still={s} />
        </li>
      ))}
    </ul>
  );
}

function Photo({ still }: { still: Still }) {
  const t = useT('still');
  const { language } = useLanguage();
  const file = useQuery({ queryKey: ['still', still.id], queryFn: () => checked(still), staleTime: Infinity, retry: false });
  const url = useUrl(file.data);
  const time = sayTime(still.at, clinicZone, language);
  const what = t('by', { name: still.takenBy || t(`role.${still.role}`), time });
  return (
    <figure className={styles.photo}>
      {file.isPending && (
        <Loading what={t('loading')}>
          <Lines count={2} tall />
        </Loading>
      )}
      {file.isError && <DeskFailure problem={asProblem(file.error)} retry={() => void file.refetch()} busy={file.isFetching} />}
      {url && (
        <a href={calls.stillFile(still.id)} target="_blank" rel="noreferrer" aria-label={t('open', { what })}>
          <img src={url} alt="" />
        </a>
      )}
      <figcaption>
        <span>{what}</span>
        <span className={styles.soft}>{t('size', { width: still.width, height: still.height })}</span>
        {url && (
          <a href={url} download={`photo-${still.at.slice(0, 10)}-${time.replace(/\D+/g, '-')}${still.type === 'image/png' ? '.png' : '.jpg'}`} aria-label={t('save', { what })}>
            {t('save.short')}
          </a>
        )}
        <details>
          <summary>{t('hash')}</summary>
          <code className={styles.hash}>{still.sha256}</code>
        </details>
      </figcaption>
    </figure>
  );
}

/** The file, if it is the one that was hashed when it was taken. */
async function checked(still: Still): Promise<Blob> {
  const response = await fetch(calls.stillFile(still.id), { cache: 'no-store' }).catch(() => {
    throw new Problem({ code: navigator.onLine === false ? 'offline' : 'unreachable' }, 0);
  });
  if (!response.ok) throw new Problem((await response.json().catch(() => ({}))) as Record<string, unknown>, response.status);
  const bytes = await response.arrayBuffer();
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = [...sum].map((b) => b.toString(16).padStart(2, '0')).join('');
  if (hex !== still.sha256) throw new Problem({ code: 'unreadable-answer' }, response.status);
  return new Blob([bytes], { type: still.type });
}

function useUrl(blob: Blob | undefined): string {
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
      setUrl('');
    };
  }, [blob]);
  return url;
}
