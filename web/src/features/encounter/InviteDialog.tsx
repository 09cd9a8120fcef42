import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import { Companions } from '@/features/companion/Companions';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Lines, Loading } from '@/ui/Loading';
import { State } from '@/ui/State';
import styles from './encounter.module.css';

/**
 * Gives a nurse of the same structure a seat in this act, which appears in the nurse's day at once, or sends somebody
 * at the patient's side a link of their own.
 */
export function InviteDialog({ encounter, me, isOpen, onClose }: { encounter: Encounter; me: string; isOpen: boolean; onClose: () => void }) {
  const t = useT('encounter');
  const client = useQueryClient();
  const nurses = useQuery({ queryKey: ['staff', 'nurse'], queryFn: () => desk.staff('nurse'), enabled: isOpen, staleTime: 300_000 });
  const invite = useMutation({
    mutationFn: (staffId: string) => desk.invite(encounter.id, staffId),
    onSuccess: () => client.invalidateQueries({ queryKey: ['encounter', encounter.id] }),
  });
  const there = new Set(encounter.team.map((p) => p.id));
  const items = nurses.data?.items.filter((n) => n.id !== me) ?? [];
  return (
    <Dialog title={t('invite.title')} isOpen={isOpen} onClose={onClose}>
      <p>{t('invite.text')}</p>
      {nurses.isPending && (
        <Loading what={t('invite.loading')}>
          <Lines count={2} />
        </Loading>
      )}
      {nurses.isError && <DeskFailure problem={asProblem(nurses.error)} retry={() => void nurses.refetch()} busy={nurses.isFetching} />}
      {nurses.data && items.length === 0 && <p>{t('invite.none')}</p>}
      <ul role="list" className={styles.list}>
        {items.map((n) => (
          <li key={n.id} className={styles.item}>
            <span className={styles.strong}>{n.displayName}</span>
            {there.has(n.id) ? (
              <State tone="good">{t('invite.done')}</State>
            ) : (
              <Button
                look="secondary"
                onPress={() => invite.mutate(n.id)}
                busy={invite.isPending && invite.variables === n.id}
                aria-label={t('invite.actionName', { name: n.displayName })}
              >
                {t('invite.action')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {invite.isError && <DeskFailure problem={asProblem(invite.error)} />}
      <h3>{t('invite.companion')}</h3>
      <Companions appointmentId={encounter.appointmentId} />
      <div>
        <Button look="text" onPress={onClose}>
          {t('invite.close')}
        </Button>
      </div>
    </Dialog>
  );
}
