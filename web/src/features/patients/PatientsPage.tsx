/** Finding a patient and checking who they are (product A9): administrative traits only. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { IdentityDocument, PatientFile } from '@/api/deskTypes';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { IdentityState } from '@/features/desk/words';
import { relation, sayIns, sayPhone } from '@/features/encounter/traits';
import { fieldWords } from '@/features/report/fields';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayBirthDate } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Select } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { Facts } from '@/ui/Page';
import { State } from '@/ui/State';
import { PatientSearch } from './PatientSearch';
import styles from './patients.module.css';

export default function PatientsPage() {
  const t = useT('patients');
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <Desk title={t('title')}>
      <div className={styles.column}>
        <PatientSearch onChoose={(p) => setChosen(p.id)} autoFocus />
        {chosen ? <Patient key={chosen} id={chosen} /> : <p className={styles.soft}>{t('start')}</p>}
      </div>
    </Desk>
  );
}

function Patient({ id }: { id: string }) {
  const t = useT('patients');
  const found = useQuery({ queryKey: ['patient', id], queryFn: () => desk.patientFile(id), staleTime: 0 });
  if (found.isPending) {
    return (
      <Loading what={t('loading')}>
        <Lines count={6} />
      </Loading>
    );
  }
  if (found.isError) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  return (
    <>
      <Traits patient={found.data} />
      <Identity patient={found.data} />
    </>
  );
}

function Traits({ patient: p }: { patient: PatientFile }) {
  const t = useT('patients');
  const te = useT('encounter');
  const { language } = useLanguage();
  const place = [p.birthPlaceName].filter(Boolean).join(' ');
  const address = [p.address.street, [p.address.postalCode, p.address.city].filter(Boolean).join(' ')].filter(Boolean).join(', ');
  const sex = p.sex === 'F' || p.sex === 'M' ? p.sex : 'UN';
  const rows = [
    { label: t('fact.birthName'), value: p.birthFamilyName },
    { label: t('fact.givenNames'), value: p.birthGivenNames },
    { label: t('fact.used'), value: [p.usedGivenName, p.usedFamilyName].filter(Boolean).join(' ') },
    { label: t('fact.birthDate'), value: sayBirthDate(p.birthDate, language) },
    { label: t('fact.birthPlace'), value: place },
    { label: t('fact.sex'), value: t(`sex.${sex}`) },
    { label: t('fact.ins'), value: p.ins ? sayIns(p.ins) : '' },
    { label: t('fact.phone'), value: p.phone ? sayPhone(p.phone) : '' },
    { label: t('fact.email'), value: p.email ?? '' },
    { label: t('fact.address'), value: address },
    { label: t('fact.representatives'), value: p.representatives.map((r) => `${r.displayName} (${relation(te, r.relation)})`).join(', ') },
    { label: t('fact.referring'), value: p.referringPractitioner?.displayName ?? '' },
  ].filter((r) => r.value !== '');
  return (
    <section className={styles.section} aria-labelledby="traits">
      <h2 id="traits">{p.displayName || `${p.firstGivenName ?? p.birthGivenNames} ${p.birthFamilyName}`}</h2>
      <IdentityState status={p.identityStatus} />
      <div className={styles.facts}>
        <Facts items={rows} />
      </div>
    </section>
  );
}

const documents: readonly IdentityDocument[] = ['id-card', 'passport', 'residence-permit', 'birth-record', 'family-book'];

/** A document seen raises the status: provisional → validated, retrieved → qualified (interop §1.4). */
function Identity({ patient }: { patient: PatientFile }) {
  const t = useT('patients');
  const client = useQueryClient();
  const [seen, setSeen] = useState<IdentityDocument>('id-card');
  const raise = useMutation({
    mutationFn: () => desk.qualifyIdentity(patient.id, patient.identityStatus === 'RECUP' ? 'QUAL' : 'VALI', seen),
    onSuccess: () => client.invalidateQueries({ queryKey: ['patient', patient.id] }),
  });
  const { identityStatus: status } = patient;
  const problem = raise.error ? asProblem(raise.error) : undefined;
  if (status === 'QUAL' || status === 'VALI') {
    return (
      <section className={styles.section}>
        {raise.isSuccess && (
          <div role="status">
            <State tone="good">{t('identity.done')}</State>
          </div>
        )}
        <p>{t(`identity.${status}`)}</p>
      </section>
    );
  }
  return (
    <section className={styles.section} aria-labelledby="identity">
      <h2 id="identity">{t('identity.title')}</h2>
      <p>{t(`identity.${status}`)}</p>
      <Select
        label={t('identity.document')}
        name="document"
        value={seen}
        onChange={(v) => setSeen(v as IdentityDocument)}
        options={documents.map((d) => ({ value: d, label: t(`document.${d}`) }))}
        error={fieldWords(problem, 'document')}
      />
      {problem && !fieldWords(problem, 'document') && <DeskFailure problem={problem} />}
      <div>
        <Button onPress={() => raise.mutate()} busy={raise.isPending}>
          {t(status === 'RECUP' ? 'identity.qualify' : 'identity.validate')}
        </Button>
      </div>
    </section>
  );
}
