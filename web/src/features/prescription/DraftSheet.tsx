import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useId, useRef, useState } from 'react';
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
import { TextField } from '@/ui/Field';
import { clean, complete, freeMedicine, medicineFields, medicineLine, sentIndex } from './lines';
import { MedicineForm, MedicineSentence } from './MedicineLine';
import { MedicineSearch } from './MedicineSearch';
import styles from './prescription.module.css';

/** One sheet being written; every change is saved as it is made. */
export function DraftSheet({ encounterId, prescription }: { encounterId: string; prescription: Prescription }) {
  const t = useT('prescription');
  const title = useId();
  const client = useQueryClient();
  const drafts = useDrafts();
  const { id, category } = prescription;
  const medicines = category === 'medicines';
  const [lines, setLines] = useState<PrescriptionLine[]>(() => first(prescription));
  const key = ['prescriptions', encounterId];
  const { autosave, state } = useAutosave(
    { value: lines, tag: prescription.etag },
    async (value: PrescriptionLine[], tag: string) => {
      const saved = await desk.savePrescription(id, clean(value), tag);
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
  const write = (next: PrescriptionLine[]) => {
    setLines(next);
    autosave.write(next);
    drafts.corrected(id);
  };
  const put = (index: number, line: PrescriptionLine) => write(lines.map((l, i) => (i === index ? line : l)));
  // One name per line for as long as it lives, so that a form keeps its focus when another line goes.
  const names = useRef<number[]>([]);
  const last = useRef(0);
  while (names.current.length < lines.length) names.current.push(last.current++);
  const remove = (index: number) => {
    names.current.splice(index, 1);
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
    setLines(first(theirs));
    autosave.takeOther(first(theirs), tag);
  };
  const place = (i: number, f: string) => `lines[${sentIndex(lines, i)}].${f}`;
  const shown = lines.flatMap((_, i) => [...medicineFields, 'text'].map((f) => place(i, f)));
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
      {drop.isError && <DeskFailure problem={asProblem(drop.error)} />}
      <ol role="list" className={styles.lines}>
        {lines.map((line, i) =>
          medicines ? (
            <Medicine
              key={names.current[i]}
              line={line}
              index={i}
              onChange={(l) => put(i, l)}
              onRemove={() => remove(i)}
              error={(f) => fieldWords(refusal, place(i, f))}
            />
          ) : (
            <li key={names.current[i]}>
              <TextField
                label={t('text', { count: i + 1 })}
                name={`text-${i}`}
                rows={3}
                value={line.text ?? ''}
                onChange={(text) => put(i, { ...line, text })}
                error={fieldWords(refusal, place(i, 'text'))}
              />
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
        <MedicineSearch onChoose={(m) => write([...lines, medicineLine(m)])} onFree={(name) => write([...lines, freeMedicine(name)])} />
      ) : (
        <div>
          <Button look="text" onPress={() => write([...lines, { text: '' }])}>
            {t('addText')}
          </Button>
        </div>
      )}
      <SaveNote state={state} onRetry={() => autosave.retryNow()} onMine={() => void other(true)} onTheirs={() => void other(false)} />
    </section>
  );
}

/** A sheet of free text opens with one line to write on. */
function first(p: Prescription): PrescriptionLine[] {
  return p.category !== 'medicines' && p.lines.length === 0 ? [{ text: '' }] : p.lines;
}

type MedicineProps = {
  line: PrescriptionLine;
  index: number;
  onChange: (line: PrescriptionLine) => void;
  onRemove: () => void;
  error: (field: string) => string | undefined;
};

/** A form while it is written or refused, a sentence once it is whole. */
function Medicine({ line, index, onChange, onRemove, error }: MedicineProps) {
  const t = useT('prescription');
  const [open, setOpen] = useState(() => !complete(line));
  const refused = medicineFields.some((f) => error(f) !== undefined);
  return (
    <li className={styles.line}>
      {open || refused ? (
        <MedicineForm line={line} index={index} onChange={onChange} error={error} />
      ) : (
        <MedicineSentence line={line} />
      )}
      <div className={styles.buttons}>
        {complete(line) && (
          <Button look="text" onPress={() => setOpen(!open)} aria-label={t(open ? 'closeName' : 'editName', { name: line.name ?? '' })}>
            {t(open ? 'close' : 'edit')}
          </Button>
        )}
        <Button look="text" onPress={onRemove} aria-label={t('removeName', { name: line.name ?? '' })}>
          {t('remove')}
        </Button>
      </div>
    </li>
  );
}
