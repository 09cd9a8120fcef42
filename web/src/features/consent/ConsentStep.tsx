/** The exact text, agree or refuse; for a minor, the representative whose code proved who they are. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention, type Problem } from '@/api/client';
import type { Appointment, Consent, ConsentDecision, ConsentRecord, ConsentText, Me } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage, useNow } from '@/ui/Page';
import { useInView } from './inView';
import styles from './consent.module.css';

// Once an answer is given, and of a minor only: nobody waits for them on the way to the doctor.
const ConsentProof = lazy(() => import('./ConsentProof').then((m) => ({ default: m.ConsentProof })));
const ChooseRepresentative = lazy(() => import('./Representative'));

type Props = { me: Me; appointment: Appointment; consent: Consent; onAgreed: () => void; onBack: () => void };

export function ConsentStep(props: Props) {
  const t = useT('consent');
  const [again, setAgain] = useState(false);
  const { status } = props.consent;
  if ((status === 'refused' || status === 'withdrawn') && !again) {
    return (
      <PatientPage title={t(`${status}.title`)} action={<Button look="secondary" wide onPress={() => setAgain(true)}>{t('refused.again')}</Button>}>
        <p>{t('refused.text')}</p>
        <Suspense fallback={null}>
          <ConsentProof consent={props.consent} />
        </Suspense>
        <div>
          <Button look="text" onPress={props.onBack}>
            {t('refused.card')}
          </Button>
        </div>
      </PatientPage>
    );
  }
  return <Reading {...props} onRefused={() => setAgain(false)} />;
}

function Reading({ me, appointment, onAgreed, onRefused }: Props & { onRefused: () => void }) {
  const t = useT('consent');
  const { language } = useLanguage();
  const now = useNow();
  const text = useQuery({ queryKey: ['consent-text', language], queryFn: () => calls.consentText(language), staleTime: Number.POSITIVE_INFINITY });
  const about = <p className={styles.soft}>{t('about', { name: appointment.practitioner.displayName, when: sayDateTime(appointment.start, now, visitorZone(), language) })}</p>;
  return (
    <PatientPage title={t('title')} ownHeading={text.data?.html.includes('<h1') ?? false}>
      {text.isPending && (
        <Loading what={t('loading')}>
          <Lines count={8} />
        </Loading>
      )}
      {text.isError && <Failure problem={asProblem(text.error)} retry={() => void text.refetch()} busy={text.isFetching} />}
      {text.data && (
        <>
          {/* The server's own file, whose hash is recorded with the answer: shown as it is, not retyped. */}
          <div className={styles.text} lang={text.data.language} dangerouslySetInnerHTML={{ __html: text.data.html }} />
          {about}
          <Answer me={me} appointment={appointment} text={text.data} onAgreed={onAgreed} onRefused={onRefused} />
        </>
      )}
    </PatientPage>
  );
}

type AnswerProps = { me: Me; appointment: Appointment; text: ConsentText; onAgreed: () => void; onRefused: () => void };
type Decision = ConsentDecision['decision'];

function Answer({ me, appointment, text, onAgreed, onRefused }: AnswerProps) {
  const t = useT('consent');
  const queries = useQueryClient();
  // A code typed here changes who this session is proven to be.
  const patient = useQuery({ queryKey: ['me'], queryFn: calls.me, initialData: me, staleTime: 60_000 }).data.patient ?? me.patient;
  const minor = patient?.minor ?? false;
  const child = patient?.displayName ?? appointment.patient.displayName;
  const by = patient?.provenBy;
  const [other, setOther] = useState(false);
  const inView = useInView();
  const keys = useRef<Record<Decision, string>>({ granted: newIntention(), refused: newIntention() });
  const answering = useMutation<ConsentRecord, Problem, Decision>({
    mutationFn: (decision) =>
      calls.decideConsent(
        appointment.id,
        {
          textId: text.id,
          sha256: text.sha256,
          decision,
          channel: minor ? 'representative' : 'web',
          screen: { page: 'consent', control: decision === 'granted' ? 'agree' : 'refuse', seconds: inView() },
        },
        keys.current[decision],
      ),
    onSuccess: (record, decision) => {
      keys.current = { granted: newIntention(), refused: newIntention() };
      queries.setQueryData<Consent>(['consent', appointment.id], { status: decision, record });
      void queries.invalidateQueries({ queryKey: ['consent', appointment.id] }); // its time stamp
      if (decision === 'granted') onAgreed();
      else onRefused();
    },
  });
  if (minor && patient && (!by || other)) {
    return (
      <div className={styles.answer}>
        <Suspense fallback={<Loading what={t('loading')} />}>
          <ChooseRepresentative patient={patient} onProven={() => setOther(false)} />
        </Suspense>
      </div>
    );
  }
  const decide = (decision: Decision) => answering.mutate(decision);
  const pending = answering.isPending ? answering.variables : null;
  return (
    <div className={styles.answer}>
      {minor && by && (
        <p>
          {t('proven', { who: by.displayName, relation: t(`as.${by.relation}`), name: child })}{' '}
          <Button look="text" onPress={() => setOther(true)}>
            {t('proven.other')}
          </Button>
        </p>
      )}
      {answering.isError && (
        <Failure
          problem={asProblem(answering.error)}
          kept={t('kept')}
          retry={() => answering.variables && answering.mutate(answering.variables)}
          busy={answering.isPending}
        />
      )}
      <Button wide busy={pending === 'granted'} isDisabled={pending === 'refused'} onPress={() => decide('granted')}>
        {minor ? t('agreeFor', { name: child }) : t('agree')}
      </Button>
      <Button look="secondary" wide busy={pending === 'refused'} isDisabled={pending === 'granted'} onPress={() => decide('refused')}>
        {t('refuse')}
      </Button>
      <p className={styles.soft}>{t('version', { id: text.id })}</p>
    </div>
  );
}
