import type { Price } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayMoney } from '@/i18n/time';
import { priceOf } from './price';
import styles from './booking.module.css';

type Props = {
  /** Absent: no price is known. */
  price: Price | undefined;
  /** YYYY-MM-DD; null while it is not known. */
  born?: string | null;
  /** The instant of the act. */
  start?: string;
};

/** What remains to pay first, then the price and the refund, then where the figures come from. */
export function PriceNote({ price, born = null, start = new Date().toISOString() }: Props) {
  const t = useT('booking');
  const { language } = useLanguage();
  const mine = priceOf(price, born, start);
  if (!price || !mine) {
    return (
      <div className={styles.price}>
        <p className={styles.remaining}>{t('price.unknown')}</p>
        <p>{t('price.ask')}</p>
      </div>
    );
  }
  return (
    <div className={styles.price}>
      <p className={styles.remaining} aria-live="polite">
        {mine.adult ? t('price.adult', { price: mine.headline }) : mine.headline}
      </p>
      <p>{t('price.detail', { amount: sayMoney(mine.amountCents, language), reimbursed: sayMoney(mine.reimbursedCents, language) })}</p>
      <details className={styles.why}>
        <summary>{t('price.why')}</summary>
        <p>{price.rateLabel}</p>
        <p>{mine.explanation}</p>
        <p className={styles.soft}>{t('price.source', { source: price.source })}</p>
      </details>
    </div>
  );
}
