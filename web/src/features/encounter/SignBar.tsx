/** The last gesture: what will be signed, one button; once signed, one sentence. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState, type RefObject } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter, Prescription } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { useAnnounce } from '@/ui/Announcer';
import { Alert } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { State } from '@/ui/State';
import { type Drafts, useDrafts } from './drafts';
import type { FileTab } from './FilePane';
import { Signer, type ToSign } from './sign';
import { forgetSigning, noteSigning, readReturn, stepUpAddress } from './stepUp';
import styles from './encounter.module.css';

export function SignBar({ encounter, onTab }: { encounter: Encounter; onTab: (tab: FileTab) => void }) {
  const t = useT('encounter');
  const announce = useAnnounce();
  const client = useQueryClient();
  const drafts = useDrafts();
  const why = useId();
  const bar = useRef<HTMLDivElement>(null);
  const [signer] = useState(() => new Signer());
  const [returned] = useState(() => readReturn(encounter.id, location, sessionStorage));
  const report = useQuery({ queryKey: ['report', encounter.id], queryFn: () => desk.report(encounter.id), staleTime: Infinity });
  const written = useQuery({ queryKey: ['prescriptions', encounter.id], queryFn: () => desk.prescriptions(encounter.id) });
  const openRx = written.data?.items.filter((p) => p.status === 'draft') ?? [];
  const reportOpen = report.data?.data.status === 'draft';
  const sign = useMutation({
    mutationFn: async () => {
      drafts.refuse({});
      return signer.signAll(() => drafts.flushAll(), itemsOf(encounter.id, openRx, drafts, reportOpen));
    },
    onSuccess: async (outcome) => {
      if (outcome.is === 'stopped') {
        if (outcome.problem.code === 'step-up-required') return;
        drafts.refuse({ [outcome.at]: outcome.problem });
        onTab(outcome.at === 'report' ? 'report' : 'prescriptions');
        // Once the tab is in view, the first field to correct has the focus.
        setTimeout(() => document.querySelector<HTMLElement>('#content [aria-invalid="true"]')?.focus(), 100);
      }
      if (outcome.is === 'signed') announce(t('sign.done'));
      await Promise.all(
        ['report', 'prescriptions', 'deliveries'].map((k) => client.invalidateQueries({ queryKey: [k, encounter.id] })).concat(client.invalidateQueries({ queryKey: ['documents'] })),
      );
    },
  });
  // The page is left: what was typed since the signature was asked is saved first.
  const leave = useMutation({
    mutationFn: () => drafts.flushAll(),
    onSuccess: (saved) => {
      if (!saved) return;
      noteSigning(encounter.id, sessionStorage);
      location.assign(stepUpAddress(location));
    },
  });
  const loaded = report.data !== undefined && written.data !== undefined;
  const { mutate } = sign;
  // Once in the life of the page: later the note is that of the next time.
  const answered = useRef(false);
  useEffect(() => {
    if (!loaded || returned.is === 'none' || answered.current) return;
    answered.current = true;
    forgetSigning(sessionStorage);
    if (returned.is === 'confirmed') mutate();
    else announce(t(refusedText(returned.code)));
  }, [loaded, returned, mutate, announce, t]);
  useEffect(() => (loaded && returned.is !== 'none' ? keepInView(bar) : undefined), [loaded, returned]);
  if (!report.data || !written.data) return null;
  if (!reportOpen && openRx.length === 0) {
    return (
      <div className={styles.sign}>
        <State tone="good">{t('sign.done')}</State>
      </div>
    );
  }
  const outcome = sign.data;
  const stepUp = outcome?.is === 'stopped' && outcome.problem.code === 'step-up-required';
  const unsaved = outcome?.is === 'unsaved' || leave.data === false;
  return (
    <div className={styles.sign} ref={bar}>
      {unsaved && (
        <Alert tone="warn" live title={t('sign.unsaved')}>
          <p>{t('sign.unsaved.now')}</p>
        </Alert>
      )}
      {returned.is === 'refused' && sign.isIdle && (
        <Alert tone="warn" title={t(refusedText(returned.code))}>
          <p>{t('sign.stepUp.again')}</p>
        </Alert>
      )}
      {stepUp && (
        <Alert tone="info" live title={t('sign.stepUp')}>
          <p id={why}>{t('sign.stepUp.now')}</p>
          <Button onPress={() => leave.mutate()} busy={leave.isPending} autoFocus aria-describedby={why}>
            {t('sign.stepUp.action')}
          </Button>
        </Alert>
      )}
      {outcome?.is === 'stopped' &&
        !stepUp &&
        (outcome.problem.status === 422 ? (
          <Alert tone="bad" live title={t(outcome.at === 'report' ? 'sign.refused.report' : 'sign.refused.prescription')}>
            <p>{t('sign.refused.now')}</p>
          </Alert>
        ) : (
          <DeskFailure problem={outcome.problem} kept={t('sign.kept')} />
        ))}
      {sign.isError && <DeskFailure problem={asProblem(sign.error)} kept={t('sign.kept')} />}
      <p className={styles.soft}>{toSign(t, reportOpen, openRx.length)}</p>
      {!stepUp && (
        <Button onPress={() => sign.mutate()} busy={sign.isPending} wide>
          {t('sign.action')}
        </Button>
      )}
    </div>
  );
}

/** Prescriptions first: the report closes the act. What is signed is the version on the screen, after its last save. */
function itemsOf(encounterId: string, open: Prescription[], drafts: Drafts, withReport: boolean): ToSign[] {
  const items: ToSign[] = open.map((p) => ({ key: p.id, sign: (key) => desk.signPrescription(p.id, drafts.tag(p.id) ?? p.etag, key) }));
  if (!withReport) return items;
  const sign = async (key: string) => desk.signReport(encounterId, (await desk.report(encounterId)).data.version, key);
  return [...items, { key: 'report', sign }];
}

/**
 * A page that is opened again is at its top, and on a phone what became of the signature is far below. Shows it
 * while the rest of the page takes its height, for three seconds at most, and no longer once the person acts.
 */
function keepInView(bar: RefObject<HTMLElement | null>): () => void {
  const height = new ResizeObserver(() => bar.current?.scrollIntoView({ block: 'nearest' }));
  const acts = ['pointerdown', 'wheel', 'touchstart', 'keydown'];
  const stop = () => {
    height.disconnect();
    clearTimeout(late);
    for (const act of acts) removeEventListener(act, stop);
  };
  const late = setTimeout(stop, 3_000);
  for (const act of acts) addEventListener(act, stop);
  for (const box of [document.body, ...document.querySelectorAll('#content > *')]) height.observe(box);
  return stop;
}

const refusedText = (code: string) => (code === 'step-up-other' ? 'sign.stepUp.other' : 'sign.stepUp.failed');

function toSign(t: ReturnType<typeof useT<'encounter'>>, report: boolean, prescriptions: number): string {
  if (prescriptions === 0) return t('sign.report');
  return report ? t('sign.both', { count: prescriptions }) : t('sign.prescriptions', { count: prescriptions });
}
