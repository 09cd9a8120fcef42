import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { documentPdf } from '@/api/calls';
import { asProblem, newIntention } from '@/api/client';
import * as desk from '@/api/desk';
import type { Prescription } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { fieldWords } from '@/features/report/fields';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/Field';
import { State, type StateTone } from '@/ui/State';
import { MedicineSentence } from './MedicineLine';
import styles from './prescription.module.css';

const tone: Record<Exclude<Prescription['status'], 'draft'>, StateTone> = { signed: 'good', replaced: 'calm', cancelled: 'bad' };

/** A signed sheet: read, opened as PDF, replaced by a new version, or cancelled with a reason. */
export function SignedSheet({ encounterId, prescription }: { encounterId: string; prescription: Prescription }) {
  const t = useT('prescription');
  const title = useId();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [intention] = useState(newIntention);
  const { id, category, documentId } = prescription;
  const status = prescription.status === 'draft' ? 'signed' : prescription.status;
  const again = () => client.invalidateQueries({ queryKey: ['prescriptions', encounterId] });
  const replace = useMutation({ mutationFn: () => desk.replacePrescription(id, intention), onSuccess: again });
  return (
    <section className={styles.sheet} aria-labelledby={title}>
      <div className={styles.head}>
        <h2 id={title} className={styles.title}>{t(`category.${category}`)}</h2>
        <State tone={tone[status]}>{t(`status.${status}`)}</State>
      </div>
      {prescription.dispensed && <p className={styles.soft}>{t(`dispensed.${prescription.dispensed}`)}</p>}
      {status !== 'replaced' && (
        <ol role="list" className={styles.lines}>
          {prescription.lines.map((line, i) => (
            <li key={i}>{line.text !== undefined ? <p className={styles.words}>{line.text}</p> : <MedicineSentence line={line} />}</li>
          ))}
        </ol>
      )}
      {replace.isError && <DeskFailure problem={asProblem(replace.error)} retry={() => replace.mutate()} busy={replace.isPending} />}
      <div className={styles.actions}>
        {documentId && (
          <a href={documentPdf(documentId)} target="_blank" rel="noreferrer">
            {t('open')}
          </a>
        )}
        {status === 'signed' && (
          <>
            <Button look="text" onPress={() => replace.mutate()} busy={replace.isPending}>
              {t('replace')}
            </Button>
            <Button look="text" onPress={() => setAsking(true)}>
              {t('cancel')}
            </Button>
          </>
        )}
      </div>
      <CancelDialog id={id} isOpen={asking} onClose={() => setAsking(false)} onDone={again} />
    </section>
  );
}

function CancelDialog({ id, isOpen, onClose, onDone }: { id: string; isOpen: boolean; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useT('prescription');
  const [reason, setReason] = useState('');
  const cancel = useMutation({
    mutationFn: () => desk.cancelPrescription(id, reason.trim()),
    onSuccess: async () => {
      await onDone();
      onClose();
    },
  });
  const problem = cancel.error ? asProblem(cancel.error) : undefined;
  return (
    <Dialog title={t('cancel.title')} isOpen={isOpen} onClose={onClose}>
      <p>{t('cancel.text')}</p>
      <TextField label={t('cancel.reason')} name="reason" value={reason} onChange={setReason} error={fieldWords(problem, 'reason')} autoFocus />
      {problem && problem.status !== 422 && <DeskFailure problem={problem} />}
      <div className={styles.buttons}>
        <Button look="danger" onPress={() => cancel.mutate()} busy={cancel.isPending} isDisabled={reason.trim() === ''}>
          {t('cancel.confirm')}
        </Button>
        <Button look="text" onPress={onClose}>
          {t('cancel.keep')}
        </Button>
      </div>
    </Dialog>
  );
}
