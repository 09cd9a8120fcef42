/** Care that begins without an agreement (CSP L1111-4): the situation and a written reason, which the patient reads afterwards. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asProblem, newIntention } from '@/api/client';
import * as desk from '@/api/desk';
import type { EmergencyReason, Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Choice, TextField } from '@/ui/Field';
import styles from './encounter.module.css';

type Situation = EmergencyReason['situation'];

/** The situations that the law leaves for this patient in this state; none after an adult's refusal. */
export function situationsOf(minor: boolean, consent: Encounter['consent']): Situation[] {
  if (consent === 'none') return minor ? ['unable', 'unreachable'] : ['unable'];
  if (minor && (consent === 'refused' || consent === 'withdrawn')) return ['minor-refused'];
  return [];
}

export function Emergency({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const client = useQueryClient();
  const situations = situationsOf(encounter.patient.minor, encounter.consent);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Situation | undefined>(situations[0]);
  const [reason, setReason] = useState('');
  const [checked, setChecked] = useState(false);
  const [intention] = useState(newIntention);
  const situation = chosen && situations.includes(chosen) ? chosen : situations[0];
  const begin = useMutation({
    mutationFn: (body: EmergencyReason) => desk.beginInEmergency(encounter.appointmentId, body, intention),
    onSuccess: () => client.invalidateQueries({ queryKey: ['encounter', encounter.id] }),
  });
  if (!situation) return null;
  if (!open) {
    return (
      <Button look="text" onPress={() => setOpen(true)}>
        {t('emergency.open')}
      </Button>
    );
  }
  const send = () => {
    setChecked(true);
    if (reason.trim().length >= 10) begin.mutate({ situation, reason: reason.trim(), screen: { page: 'encounter', control: 'emergency', seconds: 0 } });
  };
  return (
    <div className={styles.ask}>
      <p>{t('emergency.lead')}</p>
      <Choice
        legend={t('emergency.situation')}
        name="situation"
        value={situation}
        onChange={(v) => setChosen(situations.find((s) => s === v))}
        options={situations.map((s) => ({ value: s, label: t(`emergency.${s}`), detail: t(`emergency.${s}.law`) }))}
      />
      <TextField
        label={t('emergency.reason')}
        name="reason"
        value={reason}
        onChange={setReason}
        rows={3}
        maxLength={1000}
        error={checked && reason.trim().length < 10 ? t('emergency.reasonNeeded') : undefined}
      />
      {begin.isError && <DeskFailure problem={asProblem(begin.error)} retry={send} busy={begin.isPending} />}
      <div className={styles.buttons}>
        <Button look="secondary" onPress={send} busy={begin.isPending}>
          {t('emergency.begin')}
        </Button>
        <Button look="text" onPress={() => setOpen(false)}>
          {t('emergency.cancel')}
        </Button>
      </div>
    </div>
  );
}
