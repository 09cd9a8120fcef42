/** Who the patient is, how sure we are, and the doctor's own confirmation (product A9). */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter, IdentifiedHow, PatientFile } from '@/api/deskTypes';
import { ageOn } from '@/features/desk/day';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { IdentityState } from '@/features/desk/words';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayBirthDate } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { State } from '@/ui/State';
import { relation, sayIns, sayPhone } from './traits';
import styles from './encounter.module.css';

export function PatientBand({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const file = useQuery({ queryKey: ['patient', encounter.patient.id], queryFn: () => desk.patientFile(encounter.patient.id), staleTime: 60_000 });
  return (
    <section className={styles.band} aria-label={t('patient.name')}>
      {file.isPending && (
        <Loading what={t('patient.loading')}>
          <Lines count={2} />
        </Loading>
      )}
      {file.isError && <DeskFailure problem={asProblem(file.error)} retry={() => void file.refetch()} busy={file.isFetching} />}
      {file.data && <Traits patient={file.data} />}
      {encounter.identityConfirmed ? (
        <State tone="good">{t(`identified.${encounter.identifiedHow ?? 'face-and-name'}`)}</State>
      ) : (
        encounter.host && (encounter.status === 'in-progress' || encounter.status === 'arrived') && <Confirm encounter={encounter} />
      )}
    </section>
  );
}

function Traits({ patient }: { patient: PatientFile }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const now = useNow();
  const age = ageOn(patient.birthDate, dayOf(now, clinicZone));
  const born = { date: sayBirthDate(patient.birthDate, language), place: patient.birthPlaceName ?? '' };
  const sex = patient.sex === 'F' || patient.sex === 'M' ? patient.sex : 'U';
  const represented = patient.representatives;
  return (
    <>
      <p>
        {t('patient.age', { count: age })}
        {', '}
        {patient.birthPlaceName ? t(`patient.bornAt.${sex}`, born) : t(`patient.born.${sex}`, born)}
        {patient.usedFamilyName && patient.usedFamilyName !== patient.birthFamilyName && `. ${t('patient.birthName', { name: patient.birthFamilyName })}`}
        {patient.birthGivenNames.trim().includes(' ') && `. ${t('patient.givenNames', { names: patient.birthGivenNames })}`}
      </p>
      <p className={styles.line}>
        <IdentityState status={patient.identityStatus} />
        {patient.ins && <span className={styles.soft}>{t('patient.ins', { ins: sayIns(patient.ins) })}</span>}
      </p>
      {represented.length > 0 && <p>{t('patient.representatives', { names: represented.map((r) => `${r.displayName} (${relation(t, r.relation)})`).join(', ') })}</p>}
      <p className={`${styles.line} ${styles.soft}`}>
        {patient.phone && <span>{t('patient.phone', { phone: sayPhone(patient.phone) })}</span>}
        {patient.referringPractitioner && <span>{t('patient.referring', { name: patient.referringPractitioner.displayName })}</span>}
      </p>
    </>
  );
}

function Confirm({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const client = useQueryClient();
  const confirm = useMutation({
    mutationFn: (how: IdentifiedHow) => desk.confirmIdentity(encounter.id, how),
    onSuccess: () => client.invalidateQueries({ queryKey: ['encounter', encounter.id] }),
  });
  const busy = (how: IdentifiedHow) => confirm.isPending && confirm.variables === how;
  return (
    <>
      <div className={styles.ask}>
        <p>{t('identify.ask', { name: encounter.patient.displayName })}</p>
        <div className={styles.buttons}>
          <Button look="secondary" onPress={() => confirm.mutate('face-and-name')} busy={busy('face-and-name')}>
            {t('identify.face')}
          </Button>
          <Button look="secondary" onPress={() => confirm.mutate('document')} busy={busy('document')}>
            {t('identify.document')}
          </Button>
        </div>
      </div>
      {confirm.isError && <DeskFailure problem={asProblem(confirm.error)} />}
    </>
  );
}
