/** A failure in the professional's words; those of the patient's pages speak of links and messages. */
import type { Problem } from '@/api/client';
import { useT } from '@/i18n/i18n';
import { Alert, Failure, type FailureProps } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import styles from './desk.module.css';

const own = { 401: 'signedOut', 403: 'forbidden', 404: 'notFound' } as const;

export function ownWords(problem: Problem): (typeof own)[keyof typeof own] | null {
  return problem.status === 401 || problem.status === 403 || problem.status === 404 ? own[problem.status] : null;
}

export function DeskFailure(props: FailureProps) {
  const t = useT('desk');
  const words = ownWords(props.problem);
  if (!words) return <Failure {...props} />;
  return (
    <Alert tone="bad" title={t(`problem.${words}`)} live>
      {props.kept && <p>{props.kept}</p>}
      <p>{t(`problem.${words}.now`)}</p>
      {words === 'signedOut' && (
        <Button look="secondary" onPress={() => location.reload()}>
          {t('problem.signIn')}
        </Button>
      )}
      <p className={styles.code}>{t('problem.code', { code: [props.problem.code, props.problem.ref].filter(Boolean).join(' ') })}</p>
    </Alert>
  );
}
