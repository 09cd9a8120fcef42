// Package twcc is transport-wide congestion control feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01), both ways: Recorder
// notes when packets of a publisher came and writes the feedback from which the
// publisher estimates its uplink; History notes when packets left and reads the
// feedback of a receiver, from which the estimator of package congestion learns.
package twcc
