import { Component, type ReactNode } from 'react';
import type { Problem } from '@/api/client';
import { Failure } from '@/ui/Alert';
import styles from './App.module.css';

type Props = { children: ReactNode; report: (cause: unknown) => Problem };
type State = { problem: Problem | null };

/** Last net: a page that breaks (or whose files could not be loaded) says so and offers to reload. */
export class FaultBoundary extends Component<Props, State> {
  override state: State = { problem: null };

  static getDerivedStateFromError(): Partial<State> | null {
    return null;
  }

  override componentDidCatch(cause: unknown) {
    this.setState({ problem: this.props.report(cause) });
  }

  override render() {
    if (!this.state.problem) return this.props.children;
    return (
      <main className={styles.fault}>
        <Failure problem={this.state.problem} retry={() => location.reload()} />
      </main>
    );
  }
}
