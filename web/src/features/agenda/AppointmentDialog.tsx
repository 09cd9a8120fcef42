/** What can be done for one appointment: send the link again, move, invite a relative, close the link, cancel. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { AgendaAppointment, AgendaPractitioner } from '@/api/deskTypes';
import { Companions } from '@/features/companion/Companions';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime } from '@/i18n/time';
import { Button, LinkButton } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { State } from '@/ui/State';
import { standing } from './agenda';
import { MoveList } from './MoveList';
import { StandingWord } from './StandingWord';
import styles from './agenda.module.css';

type Props = { practitioner: AgendaPractitioner; appointment: AgendaAppointment; zone: string; now: Date; onClose: () => void };
type Deed = 'link' | 'revoke' | 'cancel' | 'move';

export function AppointmentDialog({ practitioner, appointment, zone, now, onClose }: Props) {
  const t = useT('agenda');
  const { language } = useLanguage();
  const client = useQueryClient();
  const [asking, setAsking] = useState<Exclude<Deed, 'link'> | 'companion' | null>(null);
  const [start, setStart] = useState(appointment.start);
  const full = useQuery({ queryKey: ['appointment', appointment.id], queryFn: () => calls.appointment(appointment.id), staleTime: 0 });
  const act = useMutation({
    mutationFn: async ({ deed, to }: { deed: Deed; to?: string }): Promise<void> => {
      if (deed === 'link') await desk.resendLink(appointment.id);
      if (deed === 'revoke') await desk.revokeLink(appointment.id);
      if (deed === 'cancel') await desk.cancelFor(appointment.id);
      if (deed === 'move' && to) {
        await calls.moveAppointment(appointment.id, to, full.data!.version);
        setStart(to);
      }
    },
    onSuccess: () => setAsking(null),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ['agenda'] }), full.refetch()]),
  });
  const done = act.isSuccess ? act.variables.deed : null;
  const { displayName } = appointment.patient;
  return (
    <Dialog title={displayName} isOpen onClose={onClose}>
      <p className={styles.sentence}>
        {sayDateTime(start, now, zone, language)}, {practitioner.displayName}
      </p>
      {done === 'cancel' ? <State tone="calm">{t('standing.cancelled')}</State> : <StandingWord standing={standing({ ...appointment, start }, now)} />}
      {full.isError && <DeskFailure problem={asProblem(full.error)} retry={() => void full.refetch()} busy={full.isFetching} />}
      <div role="status">{done && <State tone="good">{t(`did.${done}`)}</State>}</div>
      {act.isError && <DeskFailure problem={asProblem(act.error)} kept={t('kept')} />}
      {asking === 'move' && <MoveList practitionerId={practitioner.id} zone={zone} busy={act.isPending ? act.variables.to : undefined} onChoose={(to) => act.mutate({ deed: 'move', to })} onBack={() => setAsking(null)} />}
      {asking === 'companion' && (
        <>
          <Companions appointmentId={appointment.id} />
          <div>
            <Button look="text" onPress={() => setAsking(null)}>
              {t('deed.back')}
            </Button>
          </div>
        </>
      )}
      {(asking === 'cancel' || asking === 'revoke') && (
        <Sure deed={asking} busy={act.isPending} onYes={() => act.mutate({ deed: asking })} onNo={() => setAsking(null)} />
      )}
      {asking === null && done !== 'cancel' && (
        <div className={styles.deeds}>
          {appointment.status !== 'fulfilled' && (
            <Button onPress={() => act.mutate({ deed: 'link' })} busy={act.isPending && act.variables.deed === 'link'}>
              {t('deed.link')}
            </Button>
          )}
          {full.data?.canMove && (
            <Button look="secondary" onPress={() => setAsking('move')}>
              {t('deed.move')}
            </Button>
          )}
          {appointment.status !== 'fulfilled' && (
            <Button look="text" onPress={() => setAsking('companion')}>
              {t('deed.companion')}
            </Button>
          )}
          {appointment.status !== 'fulfilled' && (
            <Button look="text" onPress={() => setAsking('revoke')}>
              {t('deed.revoke')}
            </Button>
          )}
          {full.data?.canCancel && (
            <Button look="text" onPress={() => setAsking('cancel')}>
              {t('deed.cancel')}
            </Button>
          )}
        </div>
      )}
      <div>
        {full.data?.encounterId && Date.parse(start) < now.getTime() && (
          <LinkButton to={`/pro/encounters/${encodeURIComponent(full.data.encounterId)}/qualite`} look="text">
            {t('deed.quality')}
          </LinkButton>
        )}
        <Button look="text" onPress={onClose}>
          {t('close')}
        </Button>
      </div>
    </Dialog>
  );
}

function Sure({ deed, busy, onYes, onNo }: { deed: 'cancel' | 'revoke'; busy: boolean; onYes: () => void; onNo: () => void }) {
  const t = useT('agenda');
  return (
    <div className={styles.sure}>
      <p>{t(`sure.${deed}`)}</p>
      <div className={styles.buttons}>
        <Button look="danger" onPress={onYes} busy={busy} autoFocus>
          {t(`deed.${deed}`)}
        </Button>
        <Button look="text" onPress={onNo}>
          {t('sure.no')}
        </Button>
      </div>
    </div>
  );
}
