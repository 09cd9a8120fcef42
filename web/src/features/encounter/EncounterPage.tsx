/** One act of care at the desk: the person on one side, the file on the other, from the door to the last signature. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';
import { useHistoryState } from 'wouter/use-browser-location';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { Stale } from '@/features/desk/Stale';
import { useStaff } from '@/features/desk/session';
import { useT } from '@/i18n/i18n';
import { LinkButton } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import type { DeskView } from '@/ui/Page';
import { closed, nextReading } from './act';
import { ClosePane } from './ClosePane';
import { DeviceDialog } from './DeviceDialog';
import { Drafts, DraftsContext } from './drafts';
import { EncounterFrame } from './EncounterFrame';
import { EndDialog } from './EndDialog';
import { FilePane, type FileTab } from './FilePane';
import { InviteDialog } from './InviteDialog';
import { Stage } from './Stage';
import { useDeskCall, useDevicesInCall, useFreshStills, useReceive } from './useDeskCall';

export default function EncounterPage({ encounterId }: { encounterId: string }) {
  const t = useT('encounter');
  const found = useQuery({
    queryKey: ['encounter', encounterId],
    queryFn: () => desk.encounter(encounterId),
    refetchInterval: (q) => (q.state.data ? nextReading(q.state.data) : false),
    staleTime: 0,
  });
  if (found.data) return <Act encounter={found.data} stale={found.isError && <Stale since={found.dataUpdatedAt} problem={asProblem(found.error)} />} />;
  return (
    <EncounterFrame title={t('title')}>
      {found.isPending ? (
        <Loading what={t('loading')}>
          <Lines count={6} />
        </Loading>
      ) : (
        <>
          <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />
          <LinkButton to="/pro" look="text">
            {t('back')}
          </LinkButton>
        </>
      )}
    </EncounterFrame>
  );
}

function Act({ encounter, stale }: { encounter: Encounter; stale: ReactNode }) {
  // Loaded with the page: the pane that waits for its words when somebody comes in would blank the file.
  useT('call');
  useT('companion');
  useT('diagnostics');
  useT('proof');
  useT('still');
  const staff = useStaff();
  const over = closed(encounter);
  const wanted = useHistoryState<{ receive?: string } | null>()?.receive === encounter.patient.id;
  const { desk: call, failed } = useDeskCall(encounter.id, !over);
  useReceive(call, wanted && encounter.host);
  useDevicesInCall(call);
  useFreshStills(encounter.id, call);
  const [view, setView] = useState<DeskView>('both');
  const [tab, setTab] = useState<FileTab>('report');
  const [dialog, setDialog] = useState<'invite' | 'device' | 'end' | null>(null);
  const drafts = useMemo(() => new Drafts(), []);
  return (
    <DraftsContext value={drafts}>
      <EncounterFrame
        title={encounter.patient.displayName}
        view={view}
        onView={setView}
        over={over}
        slim={!encounter.host}
        first={
          over ? (
            <ClosePane encounter={encounter} />
          ) : (
            <Stage
              desk={call}
              encounterId={encounter.id}
              failed={failed}
              host={encounter.host}
              planned={encounter.planned.start}
              begun={encounter.status === 'in-progress'}
              onInvite={encounter.host ? () => setDialog('invite') : undefined}
              onDevice={() => setDialog('device')}
              onEnd={() => setDialog('end')}
              onStills={() => {
                setTab('photos');
                if (view === 'first') setView('both');
              }}
            />
          )
        }
      >
        {stale}
        <FilePane encounter={encounter} tab={tab} onTab={setTab} />
      </EncounterFrame>
      <InviteDialog encounter={encounter} me={staff.id} isOpen={dialog === 'invite'} onClose={() => setDialog(null)} />
      {dialog === 'device' && <DeviceDialog encounterId={encounter.id} seats={call?.snapshot.seats ?? []} onClose={() => setDialog(null)} />}
      <EndDialog encounter={encounter} call={call} isOpen={dialog === 'end'} onClose={() => setDialog(null)} />
    </DraftsContext>
  );
}
