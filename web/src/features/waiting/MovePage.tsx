/** Move an appointment: pick a free time, read what changes, confirm. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { Appointment } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { SlotPicker } from '@/features/booking/SlotPicker';
import { Failure } from '@/ui/Alert';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { PatientPage, useNow } from '@/ui/Page';
import { Sheet } from '@/ui/Sheet';

export default function MovePage({ appointment: a, onDone }: { appointment: Appointment; onDone: () => void }) {
  const t = useT('join');
  const { language } = useLanguage();
  const announce = useAnnounce();
  const now = useNow();
  const queries = useQueryClient();
  const [start, setStart] = useState<string | null>(null);
  const say = (at: string) => sayDateTime(at, now, visitorZone(), language);
  const moving = useMutation<Appointment, Problem, string>({
    mutationFn: (at) => calls.moveAppointment(a.id, at, a.version),
    onSuccess: (changed) => {
      queries.setQueryData(['appointment', a.id], changed);
      announce(t('moved', { when: say(changed.start) }));
      onDone();
    },
    onError: () => {
      void queries.invalidateQueries({ queryKey: ['slots', a.practitioner.id] });
      void queries.invalidateQueries({ queryKey: ['appointment', a.id] });
    },
  });
  const close = () => {
    setStart(null);
    moving.reset();
  };
  return (
    <PatientPage title={t('move.title')} lead={<p>{t('move.now', { when: say(a.start) })}</p>}>
      <SlotPicker practitionerId={a.practitioner.id} onPick={(slot) => setStart(slot.start)} />
      <div>
        <Button look="text" onPress={onDone}>
          {t('move.keep')}
        </Button>
      </div>
      <Sheet title={t('move.dialog')} isOpen={start !== null} onClose={close}>
        {start && <p>{t('move.ask', { before: say(a.start), after: say(start) })}</p>}
        {moving.isError && <Failure problem={asProblem(moving.error)} kept={t('move.kept')} />}
        {start && (
          <Button wide busy={moving.isPending} onPress={() => moving.mutate(start)}>
            {t('move.confirm', { when: say(start) })}
          </Button>
        )}
        <Button look="secondary" wide onPress={close}>
          {t('move.keep')}
        </Button>
      </Sheet>
    </PatientPage>
  );
}
