/** States that several desk pages say, each in the same words. */
import type { ConsentState as Consent, IdentityStatus } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { State, type StateTone } from '@/ui/State';

const consentTone: Record<Consent, StateTone> = { none: 'calm', granted: 'good', refused: 'bad', withdrawn: 'bad', emergency: 'warn' };

export function ConsentState({ state }: { state: Consent }) {
  const t = useT('desk');
  return <State tone={consentTone[state]}>{t(`consent.${state}`)}</State>;
}

const identityTone: Record<IdentityStatus, StateTone> = { PROV: 'warn', RECUP: 'wait', VALI: 'wait', QUAL: 'good' };

export function IdentityState({ status }: { status: IdentityStatus }) {
  const t = useT('desk');
  return <State tone={identityTone[status]}>{t(`identity.${status}`)}</State>;
}
