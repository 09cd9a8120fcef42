/** What this very camera can do besides: its lamp, for who shows something; a blurred background, for the professional. */
import type { Call, CallSnapshot } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import styles from './call.module.css';

export function Lamp({ call, snapshot, blur }: { call: Call; snapshot: CallSnapshot; blur: boolean }) {
  const t = useT('call');
  const lamp = snapshot.torch !== undefined && snapshot.facingAway;
  const canBlur = blur && snapshot.blur !== undefined;
  if (!snapshot.camera || (!lamp && !canBlur)) return null;
  return (
    <div className={styles.extras}>
      {lamp && (
        <Button look="secondary" aria-pressed={snapshot.torch === true} onPress={() => void call.setTorch(!snapshot.torch)}>
          {t(snapshot.torch ? 'torch.off' : 'torch.on')}
        </Button>
      )}
      {canBlur && (
        <Button look="secondary" aria-pressed={snapshot.blur === true} onPress={() => void call.setBlur(!snapshot.blur)}>
          {t(snapshot.blur ? 'blur.off' : 'blur.on')}
        </Button>
      )}
    </div>
  );
}
