/** The path of each signed document: signed → sent → received, with times and, when it stops, the reason. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { documentPdf } from '@/api/calls';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Delivery, Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime, sayTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { useNow } from '@/ui/Page';
import { lookAgain, paths, steps, type Path, type Step } from './path';
import styles from './deliveries.module.css';

export function Paths({ encounter }: { encounter: Encounter }) {
  const t = useT('deliveries');
  const documents = useQuery({ queryKey: ['documents', encounter.patient.id], queryFn: () => desk.patientDocuments(encounter.patient.id) });
  const found = useQuery({
    queryKey: ['deliveries', encounter.id],
    queryFn: () => desk.deliveries(encounter.id),
    refetchInterval: (q) => lookAgain(paths(encounter.id, documents.data?.items ?? [], q.state.data?.items ?? []), Date.now()),
  });
  const list = paths(encounter.id, documents.data?.items ?? [], found.data?.items ?? []);
  const problem = documents.error ?? (found.data ? null : found.error);
  if (problem) return <DeskFailure problem={asProblem(problem)} retry={() => void Promise.all([documents.refetch(), found.refetch()])} />;
  if (list.length === 0) return null;
  return (
    <section className={styles.paths} aria-labelledby="paths-title">
      <h2 id="paths-title">{t('paths.title')}</h2>
      {list.map((p) => (
        <OnePath key={p.documents[0]?.id} path={p} encounterId={encounter.id} />
      ))}
    </section>
  );
}

function OnePath({ path, encounterId }: { path: Path; encounterId: string }) {
  const t = useT('deliveries');
  const { documents, signedAt, deliveries } = path;
  return (
    <article className={styles.path}>
      {documents.map((d) => (
        <h3 key={d.id}>
          <a href={documentPdf(d.id)} target="_blank" rel="noreferrer">
            {d.title}
          </a>
          {d.version > 1 && <span className={styles.soft}> {t('paths.version', { version: d.version })}</span>}
        </h3>
      ))}
      {deliveries.length === 0 ? (
        <Steps list={[{ name: 'signed', state: 'done', at: signedAt }, { name: 'sent', state: 'now' }, { name: 'received', state: 'later' }]} />
      ) : (
        deliveries.map((d) => (
          <div key={d.id} className={styles.to}>
            <p className={styles.soft}>{t(`paths.to.${d.kind}`, { label: d.to.label })}</p>
            <Steps list={steps(d, signedAt)} />
            <Reason delivery={d} encounterId={encounterId} />
          </div>
        ))
      )}
    </article>
  );
}

const shapes = { done: '✓', now: '◔', later: '○', stopped: '▲' } as const;

function Steps({ list }: { list: Step[] }) {
  const t = useT('deliveries');
  const { language } = useLanguage();
  return (
    <ol className={styles.steps} role="list">
      {list.map((s) => (
        <li key={s.name} className={`${styles.step} ${styles[s.state]}`}>
          <span aria-hidden="true" className={styles.shape}>
            {shapes[s.state]}
          </span>
          <span className={styles.word}>{t(`step.${s.name}.${s.state}`)}</span>
          {s.at && <span className={styles.at}>{sayTime(s.at, clinicZone, language)}</span>}
        </li>
      ))}
    </ol>
  );
}

/** Why it does not go on, and what happens or can be done now. */
function Reason({ delivery, encounterId }: { delivery: Delivery; encounterId: string }) {
  const t = useT('deliveries');
  const { language } = useLanguage();
  const now = useNow();
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: () => desk.retryDelivery(delivery.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ['deliveries', encounterId] }),
  });
  const { state } = delivery;
  const again = delivery.nextAttemptAt && (state === 'queued' || state === 'sending') && delivery.attempts > 0;
  if (!again && state !== 'waiting-identity' && state !== 'refused' && state !== 'bounced' && state !== 'to-post') return null;
  return (
    <div className={styles.reason}>
      <p>
        {again
          ? t('reason.again', { count: delivery.attempts, when: sayDateTime(delivery.nextAttemptAt!, now, clinicZone, language) })
          : state === 'waiting-identity' || state === 'refused' || state === 'bounced' || state === 'to-post'
            ? t(`reason.${state}`)
            : ''}
        {/* The sentence of a wait already says why. */}
        {delivery.reason && state !== 'waiting-identity' && ` ${delivery.reason}`}
      </p>
      {(again || state === 'refused' || state === 'bounced') && (
        <Button look="text" onPress={() => retry.mutate()} busy={retry.isPending}>
          {t('retry')}
        </Button>
      )}
      {retry.isError && <DeskFailure problem={asProblem(retry.error)} />}
    </div>
  );
}
