import type { CallCause } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button, LinkButton } from '@/ui/Button';
import { PatientPage } from '@/ui/Page';

/** The same seat is open elsewhere: nothing is taken without asking. */
export function SeatElsewhere({ state, onHere }: { state: 'busy' | 'displaced'; onHere: () => void }) {
  const t = useT('waiting');
  return (
    <PatientPage title={t(`${state}.title`)} action={<Button wide onPress={onHere}>{t(`${state}.here`)}</Button>}>
      <p>{t(`${state}.text`)}</p>
    </PatientPage>
  );
}

const explained = ['signed_out', 'not_found', 'unsupported'] as const;

/** The room does not open: why, and the way out. */
export function SeatRefused({ cause, recovers, onRetry }: { cause: CallCause | undefined; recovers: boolean; onRetry: () => void }) {
  const t = useT('waiting');
  const tJoin = useT('join');
  const known = explained.find((c) => c === cause);
  const action =
    known === 'signed_out' && recovers ? (
      <LinkButton to="/lien" wide>
        {tJoin('lost')}
      </LinkButton>
    ) : known === 'unsupported' || known === 'signed_out' ? undefined : (
      <Button wide onPress={onRetry}>
        {t('retry')}
      </Button>
    );
  return (
    <PatientPage title={t('refused.title')} action={action}>
      <p>{t(`refused.${known ?? 'other'}`)}</p>
    </PatientPage>
  );
}
