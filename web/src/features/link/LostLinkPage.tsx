/** The link is lost or too old: a phone number or an address brings a new one. The answer never says whether it is known. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import { useT } from '@/i18n/i18n';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { PatientPage } from '@/ui/Page';
import { contactOf } from './contact';
import styles from './link.module.css';

export default function LostLinkPage() {
  const t = useT('link');
  const [contact, setContact] = useState('');
  const [wrong, setWrong] = useState(false);
  const recovery = useMutation<unknown, Problem, NonNullable<ReturnType<typeof contactOf>>>({ mutationFn: calls.recoverLink });
  const submit = () => {
    const to = contactOf(contact);
    setWrong(to === null);
    if (to) recovery.mutate(to);
  };
  if (recovery.isSuccess) {
    return (
      <PatientPage title={t('done.title')}>
        <p>{t('done.text')}</p>
        <p>{t('done.nothing')}</p>
        <p>
          <Button look="text" onPress={() => recovery.reset()}>
            {t('done.again')}
          </Button>
        </p>
      </PatientPage>
    );
  }
  return (
    <PatientPage title={t('title')} lead={<p>{t('lead')}</p>}>
      <form
        className={styles.form}
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <TextField
          label={t('label')}
          hint={t('hint')}
          name="contact"
          value={contact}
          onChange={setContact}
          error={wrong ? t('wrong') : undefined}
          autoComplete="on"
          maxLength={254}
        />
        {recovery.isError && <Failure problem={asProblem(recovery.error)} retry={submit} busy={recovery.isPending} />}
        <Button type="submit" wide busy={recovery.isPending}>
          {t('send')}
        </Button>
      </form>
    </PatientPage>
  );
}
