import { useQuery } from '@tanstack/react-query';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import { PrescriptionsPane } from '@/features/prescription/PrescriptionsPane';
import { ReportPane } from '@/features/report/ReportPane';
import { StillsPane, useStills } from '@/features/still/StillsPane';
import { useT } from '@/i18n/i18n';
import { Tabs } from '@/ui/Tabs';
import { closed } from './act';
import { ConsentBand } from './ConsentBand';
import { DeclaredBand } from './DeclaredBand';
import { PatientBand } from './PatientBand';
import { PreviousDocuments } from './PreviousDocuments';
import { SignBar } from './SignBar';

export type FileTab = 'report' | 'prescriptions' | 'photos' | 'documents';

type Props = { encounter: Encounter; tab: FileTab; onTab: (tab: FileTab) => void };

/** The file: who the patient is and what they agreed to, always; then what is written, one thing at a time. */
export function FilePane({ encounter, tab, onTab }: Props) {
  const t = useT('encounter');
  const tStill = useT('still');
  const over = closed(encounter);
  const written = useQuery({
    queryKey: ['prescriptions', encounter.id],
    queryFn: () => desk.prescriptions(encounter.id),
    enabled: encounter.host,
  });
  const count = written.data?.items.filter((p) => p.status === 'draft' || p.status === 'signed').length ?? 0;
  const photos = useStills(encounter.id, encounter.host).data?.items.length ?? 0;
  const items = [
    { id: 'report', label: t('tab.report'), content: <ReportPane encounter={encounter} /> },
    { id: 'prescriptions', label: count > 0 ? t('tab.prescriptionsCount', { count }) : t('tab.prescriptions'), content: <PrescriptionsPane encounter={encounter} /> },
    { id: 'photos', label: photos > 0 ? tStill('tab.count', { count: photos }) : tStill('tab'), content: <StillsPane encounterId={encounter.id} /> },
    { id: 'documents', label: t('tab.documents'), content: <PreviousDocuments encounter={encounter} /> },
  ];
  return (
    <>
      <PatientBand encounter={encounter} />
      <ConsentBand encounter={encounter} />
      <DeclaredBand encounter={encounter} />
      {encounter.host && <Tabs label={t('tab.name')} value={tab} onChange={(v) => onTab(v as FileTab)} items={items} />}
      {over && encounter.host && encounter.status === 'finished' && <SignBar encounter={encounter} onTab={onTab} />}
    </>
  );
}
