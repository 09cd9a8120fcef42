import { useT } from '@/i18n/i18n';
import { initials, roleWord, type Person } from './people';
import { Picture } from './Stream';
import styles from './call.module.css';

/** One person: their picture or their initials, their name and their role, always. */
export function Tile({ person, speaking }: { person: Person; speaking: boolean }) {
  const t = useT('call');
  const { seat, media } = person;
  const role = t(`role.${roleWord(seat.role)}`);
  const shown = seat.camera && media?.camera;
  return (
    <div className={`${styles.tile} ${speaking ? styles.speaking : ''}`} data-seat={seat.seat}>
      {shown ? (
        <>
          <Picture stream={media.camera} label={t('pictureOf', { name: seat.name, role })} className={`${styles.face} ${media.still ? styles.stopped : ''}`} />
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
          <span>{t('cameraOff')}</span>
        </div>
      )}
      <p className={styles.nameplate}>
        <span className={styles.personName}>{seat.name}</span>, {role}
        {!seat.mic && <span className={styles.muted}>{t('micOff')}</span>}
      </p>
    </div>
  );
}
