/** Public page behind the square of a receipt: authentic or not, what was decided and when; no name. */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { ConsentCheck } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Alert, Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { Facts, PatientPage, Section, useNow } from '@/ui/Page';
import { Stamp } from './ConsentProof';
import styles from './consent.module.css';

/** The code travels behind the #, so that no server or proxy on the way keeps it. */
export const codeOf = (hash: string) => hash.replace(/^#/, '').toUpperCase().replace(/[^0-9A-Z-]/g, '').slice(0, 19);

export default function CheckPage() {
  const t = useT('proof');
  const [code, setCode] = useState(() => codeOf(location.hash));
  const [empty, setEmpty] = useState(false);
  const checking = useMutation<ConsentCheck, Problem, string>({ mutationFn: calls.checkConsent });
  const { mutate } = checking;
  useEffect(() => {
    const given = codeOf(location.hash);
    if (given) mutate(given);
  }, [mutate]);
  const submit = () => {
    const typed = code.trim();
    setEmpty(typed === '');
    if (typed !== '') checking.mutate(typed);
  };
  const problem = checking.isError ? asProblem(checking.error) : null;
  return (
    <PatientPage title={t('check.title')}>
      {problem?.status === 404 && (
        <Alert tone="bad" title={t('check.unknown.title')} live>
          <p>{t('check.unknown.text')}</p>
        </Alert>
      )}
      {problem && problem.status !== 404 && <Failure problem={problem} retry={submit} busy={checking.isPending} />}
      {checking.data && <Found check={checking.data} />}
      <p>{t('check.lead')}</p>
      <form
        className={styles.answer}
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <TextField
          label={t('check.code')}
          name="code"
          value={code}
          onChange={setCode}
          autoComplete="off"
          maxLength={30}
          error={empty ? t('check.empty') : undefined}
        />
        <Button type="submit" look="secondary" wide busy={checking.isPending}>
          {t('check.open')}
        </Button>
      </form>
    </PatientPage>
  );
}

function Found({ check: c }: { check: ConsentCheck }) {
  const t = useT('proof');
  const { language } = useLanguage();
  const now = useNow();
  const when = (at: string) => sayDateTime(at, now, clinicZone, language);
  return (
    <>
      <Alert tone="good" title={t('check.genuine')} live>
        <p>{t('check.compare')}</p>
      </Alert>
      {c.lastAt !== c.at && (
        <Alert tone="warn" title={t(`check.later.${c.last}`, { when: when(c.lastAt) })} />
      )}
      <Section>
        <Facts
          items={[
            { label: t('check.said'), value: t(`check.said.${c.decision}`) },
            { label: t('check.when'), value: when(c.at) },
            { label: t('check.text'), value: t('check.textValue', { id: c.textId, sha256: c.sha256 }) },
            { label: t('check.hash'), value: c.hash },
            { label: t('check.stamp'), value: <Stamp stamp={c.stamp} zone={clinicZone} /> },
          ]}
        />
      </Section>
    </>
  );
}
