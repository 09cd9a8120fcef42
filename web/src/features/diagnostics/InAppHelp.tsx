import { useState } from 'react';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { PatientPage } from '@/ui/Page';
import { outsideOf, type Browser } from './browser';

/** The built-in view of an application often has no camera: one tap to a real browser, or the link copied to it. */
export function InAppHelp({ browser, link, onTry }: { browser: Browser; link: string | null; onTry: () => void }) {
  const t = useT('diagnostics');
  const [copied, setCopied] = useState<boolean | null>(null);
  const address = `${location.origin}/rdv#${link ?? ''}`;
  const outside = link ? outsideOf(address, browser) : null;
  const real = browser.family === 'ios' ? 'Safari' : 'Chrome';
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  const action = (
    <>
      {outside && (
        <Button wide onPress={() => location.assign(outside)}>
          {t('inApp.open', { browser: real })}
        </Button>
      )}
      {link && (
        <Button wide look={outside ? 'secondary' : 'primary'} onPress={() => void copy()}>
          {t('inApp.copy')}
        </Button>
      )}
      <Button wide look="text" onPress={onTry}>
        {t('inApp.try')}
      </Button>
    </>
  );
  return (
    <PatientPage title={t('inApp.title')} action={action}>
      <p>{t('inApp.text', { app: browser.inApp || t('inApp.generic'), browser: real })}</p>
      <p role="status">{copied === null ? '' : copied ? t('inApp.copied', { browser: real }) : t('inApp.notCopied', { browser: real })}</p>
    </PatientPage>
  );
}
