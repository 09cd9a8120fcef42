/** What the pane says while there is no picture to show, and the one thing to do. */
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { useNow } from '@/ui/Page';
import { live, type Scene } from './stage';
import type { DeskCall } from './useDeskCall';
import styles from './stage.module.css';

type Props = { scene: Scene; desk: DeskCall | null; planned: string | undefined };

export function SceneNote({ scene, desk, planned }: Props) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const now = useNow();
  if (scene === 'door') return <p className={styles.noteTitle}>{t('scene.door')}</p>;
  if (scene === 'call' || scene === 'joining' || scene === 'repairing' || scene === 'lost' || live(scene)) return null;
  const again = actionOf(scene, desk);
  const late = planned !== undefined && Date.parse(planned) < now.getTime();
  return (
    <div className={styles.note} role="status">
      <p className={styles.noteTitle}>{scene === 'blocked' ? blocked(t, desk) : t(`scene.${scene}`)}</p>
      <p className={styles.soft}>
        {scene === 'alone' && planned
          ? t(late ? 'scene.alone.late' : 'scene.alone.planned', { when: sayDateTime(planned, now, clinicZone, language) })
          : t(`scene.${scene}.now`)}
      </p>
      {again && <Button onPress={again}>{t(scene === 'refused' ? 'scene.retry' : 'scene.takeOver')}</Button>}
    </div>
  );
}

function actionOf(scene: Scene, desk: DeskCall | null): (() => void) | null {
  if (scene === 'refused') return desk ? () => desk.call.start() : () => location.reload();
  if (desk && (scene === 'busy' || scene === 'displaced')) return () => desk.call.takeOver();
  return null;
}

function blocked(t: ReturnType<typeof useT<'encounter'>>, desk: DeskCall | null): string {
  const cause = desk?.snapshot.cause;
  if (cause === 'consent_refused' || cause === 'consent_withdrawn' || cause === 'unavailable') return t(`scene.blocked.${cause}`);
  return t('scene.blocked');
}
