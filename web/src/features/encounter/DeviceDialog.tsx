import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Seat } from '@rtc/api';
import { useState, type SyntheticEvent } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Device, DeviceDirection } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Choice, TextField } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { State } from '@/ui/State';
import styles from './encounter.module.css';

type Props = { encounterId: string; seats: readonly Seat[]; onClose: () => void };
type Way = { device: Device; token: string };

/** Gives a thing its way into the call: its address, and its token, which is shown once and kept nowhere. */
export function DeviceDialog({ encounterId, seats, onClose }: Props) {
  const t = useT('encounter');
  const client = useQueryClient();
  const [way, setWay] = useState<Way | null>(null);
  const key = ['devices', encounterId];
  const found = useQuery({ queryKey: key, queryFn: () => desk.devices(encounterId), staleTime: 0 });
  const again = () => client.invalidateQueries({ queryKey: key });
  const removed = (id: string) => {
    if (way?.device.id === id) setWay(null);
    return again();
  };
  const full = found.data !== undefined && found.data.items.length >= found.data.most;
  return (
    <Dialog title={t('device.title')} isOpen onClose={onClose}>
      {way ? (
        <WayIn way={way} />
      ) : (
        <>
          <p>{t('device.text')}</p>
          {found.isPending && (
            <Loading what={t('device.loading')}>
              <Lines count={2} />
            </Loading>
          )}
          {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
          {found.data && full && <p>{t('device.full')}</p>}
          {found.data && !full && (
            <NewDevice
              encounterId={encounterId}
              onMade={(made) => {
                setWay(made);
                void again();
              }}
            />
          )}
        </>
      )}
      {found.data && found.data.items.length > 0 && <Plugged encounterId={encounterId} items={found.data.items} seats={seats} onRemoved={removed} />}
      <div className={styles.buttons}>
        {way && !full && (
          <Button look="secondary" onPress={() => setWay(null)}>
            {t('device.another')}
          </Button>
        )}
        <Button look="text" onPress={onClose}>
          {t('invite.close')}
        </Button>
      </div>
    </Dialog>
  );
}

function NewDevice({ encounterId, onMade }: { encounterId: string; onMade: (way: Way) => void }) {
  const t = useT('encounter');
  const [label, setLabel] = useState('');
  const [direction, setDirection] = useState<DeviceDirection>('send');
  const [missing, setMissing] = useState(false);
  const make = useMutation({ mutationFn: () => desk.addDevice(encounterId, label.trim(), direction), onSuccess: onMade });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    setMissing(label.trim() === '');
    if (label.trim() !== '') make.mutate();
  };
  return (
    <form onSubmit={submit} noValidate className={styles.stack}>
      <TextField
        label={t('device.name')}
        hint={t('device.nameHint')}
        name="label"
        value={label}
        onChange={setLabel}
        maxLength={60}
        error={missing ? t('device.needsName') : undefined}
        isRequired
      />
      <Choice
        legend={t('device.way')}
        name="direction"
        value={direction}
        onChange={(v) => setDirection(v as DeviceDirection)}
        options={[
          { value: 'send', label: t('device.send'), detail: t('device.sendHint') },
          { value: 'receive', label: t('device.receive'), detail: t('device.receiveHint') },
        ]}
      />
      {make.isError && <DeskFailure problem={asProblem(make.error)} />}
      <div>
        <Button type="submit" busy={make.isPending}>
          {t('device.create')}
        </Button>
      </div>
    </form>
  );
}

/** What to write into the device. */
function WayIn({ way }: { way: Way }) {
  const t = useT('encounter');
  return (
    <section aria-labelledby="way-in" className={styles.stack}>
      <h3 id="way-in">{t('device.ready', { name: way.device.label })}</h3>
      <p>{t('device.once')}</p>
      <Copied label={t('device.url')} action={t('device.copyUrl')} text={way.device.url} />
      <Copied label={t('device.token')} action={t('device.copyToken')} text={way.token} />
    </section>
  );
}

function Copied({ label, action, text }: { label: string; action: string; text: string }) {
  const t = useT('encounter');
  const announce = useAnnounce();
  const [said, setSaid] = useState<'copied' | 'notCopied' | null>(null);
  const copy = async () => {
    const word = await navigator.clipboard.writeText(text).then(
      () => 'copied' as const,
      () => 'notCopied' as const,
    );
    setSaid(word);
    announce(t(`device.${word}`));
  };
  return (
    <div className={styles.copied}>
      <dl>
        <dt>{label}</dt>
        <dd>
          <code>{text}</code>
        </dd>
      </dl>
      <Button look="secondary" onPress={() => void copy()}>
        {action}
      </Button>
      {said && <span>{t(`device.${said}`)}</span>}
    </div>
  );
}

function Plugged({ encounterId, items, seats, onRemoved }: { encounterId: string; items: readonly Device[]; seats: readonly Seat[]; onRemoved: (id: string) => Promise<void> }) {
  const t = useT('encounter');
  const remove = useMutation({ mutationFn: (id: string) => desk.removeDevice(encounterId, id), onSuccess: (_, id) => onRemoved(id) });
  const online = (id: string) => seats.some((s) => s.seat === id && s.online);
  return (
    <section aria-labelledby="devices-here" className={styles.stack}>
      <h3 id="devices-here">{t('device.here')}</h3>
      <ul role="list" className={styles.list}>
        {items.map((d) => (
          <li key={d.id} className={styles.item}>
            <span>
              <span className={styles.strong}>{d.label}</span> <State tone={online(d.id) ? 'good' : 'calm'}>{t(online(d.id) ? 'device.on' : 'device.off')}</State>
            </span>
            <Button
              look="secondary"
              onPress={() => remove.mutate(d.id)}
              busy={remove.isPending && remove.variables === d.id}
              aria-label={t('device.removeName', { name: d.label })}
            >
              {t('device.remove')}
            </Button>
          </li>
        ))}
      </ul>
      {remove.isError && <DeskFailure problem={asProblem(remove.error)} />}
    </section>
  );
}
