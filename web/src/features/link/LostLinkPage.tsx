/** The link is lost or too old: a phone number or an address brings a new one. The answer never says whether it is known. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { LinkAsked } from '@/api/types';
import { withWork } from '@/features/booking/work';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, sayTime, visitorZone } from '@/i18n/time';
import { AgainButton, againFrom } from '@/ui/Again';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { PatientPage } from '@/ui/Page';
import { contactOf } from './contact';
import styles from './link.module.css';

type Answer = LinkAsked & { from: number };

export default function LostLinkPage() {
  const t = useT('link');
  const [contact, setContact] = useState('');
  const [wrong, setWrong] = useState(false);
  const { language } = useLanguage();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const recovery = useMutation<LinkAsked, Problem, NonNullable<ReturnType<typeof contactOf>>>({
    mutationFn: (to) => withWork((work) => calls.recoverLink({ ...to, ...work }), to),
    onSuccess: (asked) => setAnswer({ ...asked, from: againFrom(asked.againAfter) }),
  });
  const submit = () => {
    const to = contactOf(contact);
    setWrong(to === null);
    if (to) recovery.mutate(to);
  };
  if (answer) {
    const { asked, askedAt, from } = answer;
    const time = (at: string) => sayTime(at, visitorZone(), language);
    return (
      <PatientPage title={t('done.title')}>
        <p role="status">{asked ? t('done.text') : t('done.before', { when: sayDateTime(askedAt, new Date(), visitorZone(), language) })}</p>
        <p>{t('done.nothing')}</p>
        {recovery.isError && <Failure problem={asProblem(recovery.error)} retry={submit} busy={recovery.isPending} />}
        <AgainButton
          from={from}
          waits={(seconds) => (seconds <= 90 ? t('done.moreIn', { count: seconds }) : t('done.moreAt', { time: time(new Date(from).toISOString()) }))}
          busy={recovery.isPending}
          onPress={submit}
        >
          {t('done.more')}
        </AgainButton>
        <p>
          <Button
            look="text"
            onPress={() => {
              recovery.reset();
              setAnswer(null);
            }}
          >
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
