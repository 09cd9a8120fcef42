import type { Call } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { initials, isDevice, roleWord, type Person } from './people';
import { Picture } from './Stream';
import styles from './call.module.css';

type Props = {
  person: Person;
  speaking: boolean;
  shows: Call['shows'];
  /** Speaks without this person, or takes them back; absent for who may not. */
  onHold?: ((held: boolean) => void) | undefined;
};

/** One person: their picture or their initials, their name and their role, always. */
export function Tile({ person, speaking, shows, onHold }: Props) {
  const t = useT('call');
  const { seat, media } = person;
  const role = t(`role.${roleWord(seat.role)}`);
  const shown = !seat.held && seat.camera && media?.camera;
  return (
    <div className={`${styles.tile} ${speaking ? styles.speaking : ''}`} data-seat={seat.seat}>
      {shown ? (
        <>
          <Picture stream={media.camera} label={t('pictureOf', { name: seat.name, role })} className={`${isDevice(seat) ? styles.whole : styles.face} ${media.still ? styles.stopped : ''}`} onHeight={(px) => shows(seat.seat, 'camera', px)} />
          {media.still && (
            <p className={styles.still} role="status">
              {t('still')}
            </p>
          )}
        </>
      ) : (
        <div className={styles.noPicture}>
          <span className={styles.initials} aria-hidden="true">
            {initials(seat.name)}
          </span>
          <span>{t(seat.held ? 'hold.is' : 'cameraOff')}</span>
        </div>
      )}
      <p className={styles.nameplate}>
        <span className={styles.personName}>{seat.name}</span>, {role}
        {!seat.mic && !seat.held && !isDevice(seat) && <span className={styles.muted}>{t('micOff')}</span>}
      </p>
      {onHold && (
        <div className={styles.hold}>
          <Button look="secondary" aria-label={t(seat.held ? 'hold.backName' : 'hold.onName', { name: seat.name })} onPress={() => onHold(!seat.held)}>
            {t(seat.held ? 'hold.back' : 'hold.on')}
          </Button>
        </div>
      )}
    </div>
  );
}
