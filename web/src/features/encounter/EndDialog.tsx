import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { useDrafts } from './drafts';
import type { DeskCall } from './useDeskCall';
import styles from './encounter.module.css';

type Props = { encounter: Encounter; call: DeskCall | null; isOpen: boolean; onClose: () => void };

/** The doctor ends for all and goes on to the report; anybody else leaves alone. */
export function EndDialog({ encounter, call, isOpen, onClose }: Props) {
  const t = useT('encounter');
  const client = useQueryClient();
  const drafts = useDrafts();
  const [, go] = useLocation();
  const kind = encounter.host ? 'all' : 'me';
  const end = useMutation({
    mutationFn: async () => {
      // What is being typed leaves first; its failure is shown beside the text and stops nothing.
      void drafts.flushAll();
      return desk.finish(encounter.id);
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['encounter', encounter.id] });
      onClose();
    },
  });
  const confirm = () => {
    if (encounter.host) return end.mutate();
    call?.call.leave();
    go('/pro');
  };
  return (
    <Dialog title={t(`end.title.${kind}`)} isOpen={isOpen} onClose={onClose}>
      <p>{t(`end.text.${kind}`)}</p>
      {end.isError && <DeskFailure problem={asProblem(end.error)} kept={t('end.kept')} />}
      <div className={styles.buttons}>
        <Button look="danger" onPress={confirm} busy={end.isPending} autoFocus>
          {t(`end.confirm.${kind}`)}
        </Button>
        <Button look="text" onPress={onClose}>
          {t('end.stay')}
        </Button>
      </div>
    </Dialog>
  );
}
