import { useT } from '@/i18n/i18n';
import { State, type StateTone } from '@/ui/State';
import type { Standing } from './agenda';

const tones: Record<Standing['is'], StateTone> = {
  expected: 'calm',
  late: 'warn',
  waiting: 'wait',
  'in-call': 'good',
  done: 'good',
  cancelled: 'calm',
  absent: 'warn',
  troubled: 'bad',
  'kept-away': 'warn',
};

export function StandingWord({ standing }: { standing: Standing }) {
  const t = useT('agenda');
  const tone = standing.is === 'waiting' && standing.behind ? 'warn' : tones[standing.is];
  return <State tone={tone}>{standing.is === 'waiting' || standing.is === 'late' ? t(`standing.${standing.is}`, { count: standing.minutes }) : t(`standing.${standing.is}`)}</State>;
}
