/** One professional: who they are, what it costs, their free times. */
import { useQuery } from '@tanstack/react-query';
import { useLocation, useParams } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Practitioner, Slot } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { Failure } from '@/ui/Alert';
import { LinkButton } from '@/ui/Button';
import { Loading } from '@/ui/Loading';
import { PatientPage, Section } from '@/ui/Page';
import { PriceNote } from './PriceNote';
import { SlotPicker } from './SlotPicker';

export default function DoctorPage() {
  const t = useT('booking');
  const { language } = useLanguage();
  const { id } = useParams<{ id: string }>();
  const found = useQuery({ queryKey: ['practitioner', id, language], queryFn: () => calls.practitioner(id) });
  if (found.isPending) {
    return (
      <PatientPage title={t('find.title')}>
        <Loading what={t('doctor.loading')} />
      </PatientPage>
    );
  }
  if (found.isError) {
    return (
      <PatientPage title={t('find.title')} action={<LinkButton to="/" look="secondary" wide>{t('book.find')}</LinkButton>}>
        <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />
      </PatientPage>
    );
  }
  return <Found practitioner={found.data} />;
}

function Found({ practitioner: p }: { practitioner: Practitioner }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const [, go] = useLocation();
  const pick = (slot: Slot) => go(`/reserver?medecin=${encodeURIComponent(p.id)}&debut=${encodeURIComponent(slot.start)}`);
  return (
    <PatientPage title={p.displayName} lead={<p>{[p.specialtyLabel, p.organizationName, p.city].filter(Boolean).join(', ')}</p>}>
      {p.bio && <p>{p.bio}</p>}
      {p.languages && p.languages.length > 0 && <p>{t('doctor.languages', { languages: sayLanguages(p.languages, language) })}</p>}
      <Section title={t('doctor.price')} id="price">
        <PriceNote price={p.price} />
      </Section>
      <Section title={t('doctor.times')} id="times">
        <SlotPicker practitionerId={p.id} onPick={pick} />
      </Section>
      {p.rpps && <p>{t('doctor.rpps', { rpps: p.rpps })}</p>}
    </PatientPage>
  );
}

/** « français et anglais », from codes of BCP 47; a word that is not a code is shown as it came. */
function sayLanguages(codes: string[], language: string): string {
  const names = new Intl.DisplayNames([language], { type: 'language', fallback: 'code' });
  const said = codes.map((c) => (/^[a-z]{2,3}(-[A-Za-z]+)?$/.test(c) ? (names.of(c) ?? c) : c));
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(said);
}
