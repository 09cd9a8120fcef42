import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useId, useState } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Prescription } from '@/api/deskTypes';
import type { List, PrescriptionLine } from '@/api/types';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useDraft, useDrafts } from '@/features/encounter/drafts';
import { SaveNote } from '@/features/report/SaveNote';
import { fieldWords, otherWords } from '@/features/report/fields';
import { useAutosave } from '@/features/report/useAutosave';
import { useT } from '@/i18n/i18n';
import { Alert } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Answers, type Warning } from './Answers';
import { BaseNote } from './BaseNote';
import { Conditions, type Condition } from './Conditions';
import { Amount } from './DosageFields';
import { clean, complete, freeMedicine, lineName, medicineFields, medicineLine, textFields, type Written } from './lines';
import { MedicineForm, MedicineSentence } from './MedicineLine';
import { MedicineSearch } from './MedicineSearch';
import { TextLine } from './TextLine';
import { useLineNames } from './names';
import styles from './prescription.module.css';

/** One sheet being written; every change is saved as it is made. */
export function DraftSheet({ encounterId, prescription, minor }: { encounterId: string; prescription: Prescription; minor: boolean }) {
  const t = useT('prescription');
  const title = useId();
  const client = useQueryClient();
  const drafts = useDrafts();
  const { id, category } = prescription;
  const medicines = category === 'medicines';
  const weighed = medicines || category === 'device';
  const [written, setWritten] = useState<Written>(() => first(prescription));
  const { lines } = written;
  const key = ['prescriptions', encounterId];
  const { named, place } = useLineNames(lines);
  const { autosave, state } = useAutosave(
    { value: written, tag: prescription.etag },
    async (value: Written, tag: string) => {
      const saved = await desk.savePrescription(id, { ...value, lines: clean(value.lines) }, tag).catch((error: unknown) => {
        if (asProblem(error).fields?.length) named.answered(value.lines);
        throw error;
      });
      named.answered(value.lines);
      client.setQueryData<List<Prescription>>(key, (old) => old && { items: old.items.map((p) => (p.id === id ? { ...p, ...saved.data, etag: saved.tag } : p)) });
      return saved;
    },
  );
  const flush = useCallback(() => autosave.flush(), [autosave]);
  const unsigned = useDraft(id, flush, autosave.version);
  const refusal = unsigned ?? (state.is === 'refused' ? state.problem : undefined);
  useEffect(() => {
    if (unsigned?.code === 'changed-before-signing') autosave.meet(unsigned);
  }, [autosave, unsigned]);
  const rewrite = (next: Written) => {
    named.write(next.lines);
    setWritten(next);
    autosave.write(next);
    drafts.corrected(id);
  };
  const write = (next: PrescriptionLine[]) => rewrite({ ...written, lines: next });
  const put = (index: number, line: PrescriptionLine) => write(lines.map((l, i) => (i === index ? line : l)));
  const remove = (index: number) => {
    named.remove(index);
    write(lines.filter((_, i) => i !== index));
  };
  const drop = useMutation({
    mutationFn: () => desk.deletePrescription(id),
    onSuccess: () => {
      autosave.stop();
      return client.invalidateQueries({ queryKey: key });
    },
  });
  const other = async (mine: boolean) => {
    const theirs = (await desk.prescriptions(encounterId)).items.find((p) => p.id === id);
    if (!theirs) return void client.invalidateQueries({ queryKey: key });
    const tag = theirs.etag;
    if (mine) return void autosave.keepMine(tag);
    setWritten(first(theirs));
    autosave.takeOther(first(theirs), tag);
  };
  const at = (i: number, f: string) => `lines[${place(i)}].${f}`;
  const shown = [...named.places().flatMap((k) => (medicines ? medicineFields : textFields).map((f) => `lines[${k}].${f}`)), ...(weighed ? ['weightKg', 'heightCm'] : [])];
  const rest = otherWords(refusal, shown);
  return (
    <section className={styles.sheet} aria-labelledby={title}>
      <div className={styles.head}>
        <h2 id={title} className={styles.title}>{t(`category.${category}`)}</h2>
        <Button look="text" onPress={() => drop.mutate()} busy={drop.isPending} aria-label={t('deleteName', { name: t(`category.${category}`) })}>
          {t('delete')}
        </Button>
      </div>
      {rest.length > 0 && (
        <Alert tone="bad" live>
          {rest.map((r) => (
            <p key={r}>{r}</p>
          ))}
        </Alert>
      )}
      {prescription.warnings?.filter((w) => w.name === 'category').map((w) => (
        <p key={w.code} className={styles.warning}>
          {w.detail}
        </p>
      ))}
      {drop.isError && <DeskFailure problem={asProblem(drop.error)} />}
      <ol role="list" className={styles.lines}>
        {lines.map((line, i) =>
          medicines ? (
            <Medicine
              key={named.of(i)}
              line={line}
              index={i}
              onChange={(l) => put(i, l)}
              onRemove={() => remove(i)}
              error={(f) => fieldWords(refusal, at(i, f))}
              warnings={(f) => prescription.warnings?.filter((w) => w.name === at(i, f)) ?? []}
              conditions={prescription.conditions?.filter((c) => c.line === place(i)) ?? []}
            />
          ) : (
            <li key={named.of(i)}>
              <TextLine category={category} line={line} index={i} onChange={(l) => put(i, l)} error={(f) => fieldWords(refusal, at(i, f))} warnings={prescription.warnings?.filter((w) => textFields.some((f) => w.name === at(i, f))) ?? []} />
              {lines.length > 1 && (
                <Button look="text" onPress={() => remove(i)} aria-label={t('removeLine', { count: i + 1 })}>
                  {t('remove')}
                </Button>
              )}
            </li>
          ),
        )}
      </ol>
      {medicines ? (
        <>
          <MedicineSearch onChoose={(m) => write([...lines, medicineLine(m)])} onFree={(name) => write([...lines, freeMedicine(name)])} />
          <BaseNote />
        </>
      ) : (
        <div>
          <Button look="text" onPress={() => write([...lines, { text: '' }])}>
            {t('addText')}
          </Button>
        </div>
      )}
      {weighed && (minor || written.weightKg !== undefined || fieldWords(refusal, 'weightKg') !== undefined) && (
        <div className={styles.three}>
          <Amount
            label={t('field.weightKg')}
            name="weightKg"
            value={written.weightKg ?? 0}
            onChange={(weightKg) => rewrite({ ...written, weightKg })}
            error={fieldWords(refusal, 'weightKg')}
          />
          <Amount
            label={t('field.heightCm')}
            name="heightCm"
            value={written.heightCm ?? 0}
            onChange={(heightCm) => rewrite({ ...written, heightCm: Math.round(heightCm) })}
            error={fieldWords(refusal, 'heightCm')}
          />
        </div>
      )}
      <SaveNote state={state} onRetry={() => autosave.retryNow()} onMine={() => void other(true)} onTheirs={() => void other(false)} />
    </section>
  );
}

/** A sheet of free text opens with one line to write on. */
function first(p: Prescription): Written {
  const lines = p.category !== 'medicines' && p.lines.length === 0 ? [{ text: '' }] : p.lines;
  return { lines, ...(p.weightKg === undefined ? {} : { weightKg: p.weightKg }), ...(p.heightCm === undefined ? {} : { heightCm: p.heightCm }) };
}

type MedicineProps = {
  line: PrescriptionLine;
  index: number;
  onChange: (line: PrescriptionLine) => void;
  onRemove: () => void;
  error: (field: string) => string | undefined;
  warnings: (field: string) => readonly Warning[];
  conditions: readonly Condition[];
};

/** A form while it is written or refused, a sentence once it is whole. */
function Medicine({ line, index, onChange, onRemove, error, warnings, conditions }: MedicineProps) {
  const t = useT('prescription');
  const [open, setOpen] = useState(() => !complete(line));
  const refused = medicineFields.some((f) => error(f) !== undefined || warnings(f).some((w) => w.refused));
  return (
    <li className={styles.line}>
      {open || refused ? (
        <MedicineForm line={line} index={index} onChange={onChange} error={error} warnings={warnings} />
      ) : (
        <>
          <MedicineSentence line={line} />
          {medicineFields.map((f) => (
            <Answers key={f} line={line} warnings={warnings(f)} said={undefined} onChange={onChange} />
          ))}
        </>
      )}
      <Conditions line={line} index={index} conditions={conditions} onChange={onChange} error={error} />
      <div className={styles.buttons}>
        {complete(line) && (
          <Button look="text" onPress={() => setOpen(!open)} aria-label={t(open ? 'closeName' : 'editName', { name: lineName(line) })}>
            {t(open ? 'close' : 'edit')}
          </Button>
        )}
        <Button look="text" onPress={onRemove} aria-label={t('removeName', { name: lineName(line) })}>
          {t('remove')}
        </Button>
      </div>
    </li>
  );
}
