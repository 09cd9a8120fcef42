//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"visavis/sfu"
)

// answerer is a server under measurement.
type answerer interface {
	answer(ctx context.Context, room, peer, sdp string) (string, error)
}

// run serves offers until it is killed; its address is its first line.
func run(kind, profile string) error {
	if kind == "floor" {
		return runFloor()
	}
	var a answerer
	var err error
	if kind == "ours" {
		if profile != "" {
			if err := record(profile); err != nil {
				return err
			}
		}
		a, err = newOurs()
	} else {
		a, err = newPlain(kind == "plain")
	}
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", tellState)
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Room, Peer, SDP string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		text, err := a.answer(r.Context(), in.Room, in.Peer, in.SDP)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprint(w, text)
	})
	return http.Serve(l, mux)
}

// record writes a CPU profile of seconds 10 to 18 of the process.
func record(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	time.AfterFunc(10*time.Second, func() {
		if pprof.StartCPUProfile(f) == nil {
			time.AfterFunc(8*time.Second, func() { pprof.StopCPUProfile(); _ = f.Close() })
		}
	})
	return nil
}

type ours struct{ node *sfu.Node }

func newOurs() (ours, error) {
	n, err := sfu.Open(sfu.Config{UDP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Loopback: true, Events: func(sfu.Event) {}})
	return ours{n}, err
}

func (o ours) answer(ctx context.Context, room, peer, sdp string) (string, error) {
	text, err := o.node.Offer(ctx, sfu.Offer{Room: room, Peer: peer, PC: 1, SDP: sdp})
	o.node.Update(room, peer, sfu.Sources{Mic: true, Camera: true, Screen: true})
	return text, err
}

// plain is the forwarder that anybody writes first with pion/webrtc: one
// PeerConnection a client, local tracks, a goroutine a remote track.
type plain struct {
	defaults bool
	mux      ice.UDPMux

	mu    sync.Mutex
	rooms map[string][]*plainPeer
}

type plainPeer struct {
	slots map[webrtc.RTPCodecType][]*webrtc.TrackLocalStaticRTP
	used  map[webrtc.RTPCodecType]int
}

func newPlain(defaults bool) (*plain, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return &plain{defaults: defaults, mux: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: c}), rooms: map[string][]*plainPeer{}}, nil
}

func (s *plain) connection() (*webrtc.PeerConnection, error) {
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	reg := &interceptor.Registry{}
	if s.defaults {
		if err := webrtc.RegisterDefaultInterceptors(m, reg); err != nil {
			return nil, err
		}
	}
	var e webrtc.SettingEngine
	e.SetICEUDPMux(s.mux)
	e.SetIncludeLoopbackCandidate(true)
	if err := e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil { // the crowd calls
		return nil, err
	}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(reg), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
}

func (s *plain) answer(_ context.Context, room, _, sdp string) (string, error) {
	pc, err := s.connection()
	if err != nil {
		return "", err
	}
	me := &plainPeer{slots: map[webrtc.RTPCodecType][]*webrtc.TrackLocalStaticRTP{}, used: map[webrtc.RTPCodecType]int{}}
	for kind, c := range map[webrtc.RTPCodecType]webrtc.RTPCodecCapability{
		webrtc.RTPCodecTypeAudio: {MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		webrtc.RTPCodecTypeVideo: {MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
	} {
		for i := range sfu.MaxPeers - 1 {
			t, err := webrtc.NewTrackLocalStaticRTP(c, fmt.Sprintf("%s-%d", kind, i), fmt.Sprintf("s%d", i))
			if err != nil {
				return "", err
			}
			tr, err := pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			if err != nil {
				return "", err
			}
			go drain(tr.Sender())
			me.slots[kind] = append(me.slots[kind], t)
		}
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.forward(room, me, t) })
	s.mu.Lock()
	s.rooms[room] = append(s.rooms[room], me)
	s.mu.Unlock()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return "", err
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	done := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	<-done
	return pc.LocalDescription().SDP, nil
}

func drain(s *webrtc.RTPSender) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := s.Read(buf); err != nil {
			return
		}
	}
}

// forward copies a track to a slot of everybody else in the room. The slots of
// each are found once for each that comes: rooms of the measurement only grow.
func (s *plain) forward(room string, from *plainPeer, t *webrtc.TrackRemote) {
	to := map[*plainPeer]*webrtc.TrackLocalStaticRTP{}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		s.mu.Lock()
		people := s.rooms[room]
		for _, o := range people {
			if o != from && to[o] == nil {
				to[o] = o.slots[t.Kind()][o.used[t.Kind()]]
				o.used[t.Kind()]++
			}
		}
		s.mu.Unlock()
		for _, out := range to {
			_ = out.WriteRTP(p)
		}
	}
}
