/** Public page behind the QR of a prescription: authentic or not, whose, in which state; the content only with the code of the sheet. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { Verification } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayFullDay } from '@/i18n/time';
import { Alert, Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { Loading } from '@/ui/Loading';
import { Facts, PatientPage, Section } from '@/ui/Page';
import { CounterSection } from './CounterSection';
import { Lines } from './Lines';
import styles from './verify.module.css';

export default function VerifyPage() {
  const t = useT('verify');
  const { publicId } = useParams<{ publicId: string }>();
  const found = useQuery({ queryKey: ['verification', publicId], queryFn: () => calls.verification(publicId) });
  const problem = found.isError ? asProblem(found.error) : null;
  return (
    <PatientPage title={t('title')}>
      {found.isPending && <Loading what={t('loading')} />}
      {problem?.status === 404 && (
        <Alert tone="bad" title={t('unknown.title')} live>
          <p>{t('unknown.text')}</p>
        </Alert>
      )}
      {problem && problem.status !== 404 && <Failure problem={problem} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && <Found verification={found.data} publicId={publicId} />}
    </PatientPage>
  );
}

function Found({ verification: v, publicId }: { verification: Verification; publicId: string }) {
  const t = useT('verify');
  const client = useQueryClient();
  const { language } = useLanguage();
  return (
    <>
      <Alert tone={v.state === 'valid' ? 'good' : v.state === 'cancelled' ? 'bad' : 'warn'} title={t('genuine')} live>
        <p>{t(`state.${v.state}`)}</p>
      </Alert>
      <Section>
        <Facts
          items={[
            { label: t('signed'), value: sayFullDay(dayOf(v.signedAt, clinicZone), language) },
            { label: t('prescriber'), value: v.prescriber.displayName },
            ...(v.prescriber.rpps ? [{ label: t('rpps'), value: v.prescriber.rpps }] : []),
            ...(v.prescriber.organizationName ? [{ label: t('organization'), value: v.prescriber.organizationName }] : []),
            ...(v.dispensing ? [{ label: t('dispensing'), value: t(`dispensed.${v.dispensing.state}`) }] : []),
          ]}
        />
      </Section>
      <Content publicId={publicId} onChange={(v) => client.setQueryData(['verification', publicId], v)} />
    </>
  );
}

function Content({ publicId, onChange }: { publicId: string; onChange: (v: Verification) => void }) {
  const t = useT('verify');
  const [code, setCode] = useState('');
  const [empty, setEmpty] = useState(false);
  const opening = useMutation<Verification, Problem>({ mutationFn: () => calls.openVerification(publicId, code.trim()), onSuccess: onChange });
  const [later, setLater] = useState<Verification>();
  const shown = later ?? opening.data;
  if (shown) {
    const { patientInitials, category, lines } = shown;
    const changed = (v: Verification) => {
      setLater(v);
      onChange(v);
    };
    return (
      <>
      <Section title={t('content')} id="content-lines">
        <Facts
          items={[
            ...(patientInitials ? [{ label: t('patient'), value: patientInitials }] : []),
            ...(category ? [{ label: t('category'), value: t(`category.${category}`) }] : []),
          ]}
        />
        <Lines lines={lines ?? []} />
      </Section>
      {shown.dispensing && <CounterSection publicId={publicId} code={code.trim()} verification={shown} onChange={changed} />}
      </>
    );
  }
  const submit = () => {
    setEmpty(code.trim() === '');
    if (code.trim() !== '') opening.mutate();
  };
  return (
    <Section title={t('more')} id="more">
      <p>{t('moreLead')}</p>
      <form
        className={styles.form}
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <TextField
          label={t('code')}
          name="code"
          value={code}
          onChange={setCode}
          autoComplete="off"
          maxLength={20}
          error={empty ? t('codeEmpty') : undefined}
        />
        {opening.isError && <Failure problem={asProblem(opening.error)} retry={submit} busy={opening.isPending} />}
        <Button type="submit" look="secondary" wide busy={opening.isPending}>
          {t('open')}
        </Button>
      </form>
      <p className={styles.soft}>{t('privacy')}</p>
    </Section>
  );
}
