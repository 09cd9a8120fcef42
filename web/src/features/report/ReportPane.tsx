/** The report: four fields saved while one writes; signed, it only reads, and a correction is a new version. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { asProblem, newIntention, type Problem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter, Report, ReportText } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useDraft, useDrafts } from '@/features/encounter/drafts';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { State } from '@/ui/State';
import { fieldWords } from './fields';
import { SaveNote } from './SaveNote';
import { useAutosave } from './useAutosave';
import styles from './report.module.css';

export function ReportPane({ encounter }: { encounter: Encounter }) {
  const t = useT('report');
  const found = useQuery({
    queryKey: ['report', encounter.id],
    queryFn: () => desk.report(encounter.id),
    // A draft is what is being written here; of a signed one the record may learn more.
    staleTime: (q) => (q.state.data?.data.status === 'signed' ? 0 : Infinity),
  });
  if (found.isPending) {
    return (
      <Loading what={t('loading')}>
        <Lines count={6} />
      </Loading>
    );
  }
  if (found.isError) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  const { data, tag } = found.data;
  return data.status === 'draft' ? (
    <Editor key={data.number ?? 0} encounterId={encounter.id} report={data} tag={tag} />
  ) : (
    <Signed encounter={encounter} report={data} />
  );
}

const fields = [
  { name: 'motive', rows: 2, longest: 500 },
  { name: 'text', rows: 8, longest: 20_000 },
  { name: 'conclusion', rows: 3, longest: 20_000 },
  { name: 'followUp', rows: 2, longest: 20_000 },
] as const;

function Editor({ encounterId, report, tag }: { encounterId: string; report: Report; tag: string }) {
  const t = useT('report');
  const drafts = useDrafts();
  const [value, setValue] = useState<ReportText>(() => textOf(report));
  const client = useQueryClient();
  const { autosave, state } = useAutosave({ value, tag }, async (v: ReportText, at: string) => {
    const saved = await desk.saveReport(encounterId, v, at);
    client.setQueryData(['report', encounterId], { data: { ...report, ...saved.data, ...v }, tag: saved.tag });
    return saved;
  });
  const flush = useCallback(() => autosave.flush(), [autosave]);
  const refusal = useDraft('report', flush);
  const problem: Problem | undefined = refusal ?? (state.is === 'refused' ? state.problem : undefined);
  const write = (name: keyof ReportText, text: string) => {
    const next = { ...value, [name]: text };
    setValue(next);
    autosave.write(next);
    drafts.corrected('report');
  };
  const other = async (mine: boolean) => {
    const theirs = await desk.report(encounterId);
    if (mine) return void autosave.keepMine(theirs.tag);
    setValue(textOf(theirs.data));
    autosave.takeOther(textOf(theirs.data), theirs.tag);
  };
  return (
    <form className={styles.form} onSubmit={(e) => e.preventDefault()}>
      {report.number ? <State tone="wait">{t('replaces', { version: report.number + 1 })}</State> : null}
      {fields.map((f) => (
        <TextField
          key={f.name}
          label={t(`field.${f.name}`)}
          name={f.name}
          rows={f.rows}
          maxLength={f.longest}
          value={value[f.name]}
          onChange={(text) => write(f.name, text)}
          error={fieldWords(problem, f.name)}
        />
      ))}
      <SaveNote state={state} onRetry={() => autosave.retryNow()} onMine={() => void other(true)} onTheirs={() => void other(false)} />
    </form>
  );
}

function textOf(r: Report): ReportText {
  return { motive: r.motive ?? '', text: r.text ?? '', conclusion: r.conclusion ?? '', followUp: r.followUp ?? '' };
}

function Signed({ encounter, report }: { encounter: Encounter; report: Report }) {
  const t = useT('report');
  const client = useQueryClient();
  const [intention] = useState(newIntention);
  const correct = useMutation({
    mutationFn: async () => desk.replaceDocument(report.documentId ?? (await signedDocument(encounter)), intention),
    onSuccess: () => client.invalidateQueries({ queryKey: ['report', encounter.id] }),
  });
  return (
    <div className={styles.form}>
      <State tone="good">{t('signed', { version: report.number ?? 1 })}</State>
      {report.changed && <Changed changed={report.changed} />}
      {fields.map(
        (f) =>
          report[f.name] && (
            <section key={f.name} aria-label={t(`field.${f.name}`)}>
              <h2 className={styles.title}>{t(`field.${f.name}`)}</h2>
              <p className={styles.words}>{report[f.name]}</p>
            </section>
          ),
      )}
      <p className={styles.soft}>{t('frozen')}</p>
      {correct.isError && <DeskFailure problem={asProblem(correct.error)} retry={() => correct.mutate()} busy={correct.isPending} />}
      <div>
        <Button look="secondary" onPress={() => correct.mutate()} busy={correct.isPending}>
          {t('correct')}
        </Button>
      </div>
    </div>
  );
}

/** What the record of the act learnt after the signature, in the sentences of the document. */
function Changed({ changed }: { changed: NonNullable<Report['changed']> }) {
  const t = useT('report');
  return (
    <section aria-label={t('changed')}>
      <State tone="wait">{t('changed')}</State>
      {(['signed', 'now'] as const).map(
        (which) =>
          changed[which] && (
            <div key={which}>
              <h2 className={styles.title}>{t(`changed.${which}`)}</h2>
              <ul className={styles.words}>
                {changed[which].map((s) => (
                  <li key={s}>{s}</li>
                ))}
              </ul>
            </div>
          ),
      )}
      <p className={styles.soft}>{t('changed.what')}</p>
    </section>
  );
}

async function signedDocument(encounter: Encounter): Promise<string> {
  const { items } = await desk.patientDocuments(encounter.patient.id);
  return items.find((d) => d.encounterId === encounter.id && d.kind === 'report' && d.status === 'current')?.id ?? '';
}
