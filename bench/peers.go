package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A peer is a cache that can stand before Tallyfy instead of Rollcall.
type peer struct {
	name   string
	needs  string // the program
	config string // a template; see configured
	args   func(file, dir, port string) []string
}

var allPeers = []peer{
	{"nginx proxy_cache", "nginx", nginxConfig, func(file, dir, _ string) []string {
		return []string{"nginx", "-c", file, "-p", dir, "-e", filepath.Join(dir, "error.log")}
	}},
	{"Varnish", "varnishd", varnishConfig, func(file, dir, port string) []string {
		return []string{"varnishd", "-F", "-j", "none", "-T", "none", "-n", filepath.Join(dir, "work"), "-s", "malloc,64m", "-a", "127.0.0.1:" + port, "-f", file}
	}},
}

const nginxConfig = `daemon off; master_process off; pid DIR/pid; worker_processes 1; error_log DIR/error.log crit;
events { worker_connections 512; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  proxy_cache_path DIR/cache keys_zone=all:8m;
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://UPSTREAM; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer TOKEN"; proxy_set_header Accept "application/json"; proxy_set_header X-Tallyfy-Client "APIClient";
      proxy_cache all; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
    }
  }
}
`

const varnishConfig = `vcl 4.1;
backend default { .host = "HOST"; .port = "UPPORT"; }
sub vcl_recv { return (hash); }
sub vcl_backend_fetch {
  set bereq.http.Authorization = "Bearer TOKEN"; set bereq.http.Accept = "application/json"; set bereq.http.X-Tallyfy-Client = "APIClient";
}
sub vcl_backend_response { unset beresp.http.Set-Cookie; unset beresp.http.Vary; set beresp.ttl = 1h; set beresp.uncacheable = false; return (deliver); }
`

// peers are those that run.
type peers struct {
	targets   []target
	processes []*process
}

func (p *peers) stop() {
	for _, process := range p.processes {
		process.stop()
	}
}

// startPeers starts those that are installed, each before the simulated
// Tallyfy. Why one is left out goes into the report: nothing depends on it.
func (l *lab) startPeers(ctx context.Context, s *stage, r *report) *peers {
	all := &peers{}
	if l.short {
		return all
	}
	for _, peer := range allPeers {
		process, base, err := l.startPeer(ctx, peer, s)
		if err != nil {
			r.note("%s is left out: %v", peer.name, err)
			continue
		}
		all.processes = append(all.processes, process)
		all.targets = append(all.targets, target{peer.name, base, process.pid()})
	}
	return all
}

func (l *lab) startPeer(ctx context.Context, peer peer, s *stage) (*process, string, error) {
	if _, err := exec.LookPath(peer.needs); err != nil {
		return nil, "", errors.New("it is not installed")
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(l.dir, peer.needs+s.size.name)
	file := filepath.Join(dir, "config")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, []byte(peer.configured(dir, port, s.upstream)), 0o600)); err != nil {
		return nil, "", err
	}
	process, err := start{name: peer.name, cpu: l.pins.server, args: peer.args(file, dir, port)}.run(ctx)
	if err != nil {
		return nil, "", err
	}
	base := "http://127.0.0.1:" + port
	if err := awaitHit(ctx, base, s); err != nil {
		process.stop()
		return nil, "", fmt.Errorf("%w: %s", err, process.said)
	}
	return process, base, nil
}

func (p peer) configured(dir, port string, u *upstream) string {
	address := strings.TrimPrefix(u.url, "http://")
	host, upPort, _ := net.SplitHostPort(address)
	return strings.NewReplacer("DIR", dir, "UPPORT", upPort, "PORT", port, "UPSTREAM", address, "HOST", host, "TOKEN", u.Token()).Replace(p.config)
}

const peerPatience = 15 * time.Second // Varnish compiles its settings

// awaitHit asks a peer until it answers what upstream would, and does so
// while upstream is mute.
func awaitHit(ctx context.Context, base string, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	q := s.organisation.tallyfyGroup(s.organisation.which)
	for {
		err := ask(ctx, client, base, q)
		if err == nil {
			break
		}
		pause(ctx, 50*time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
	s.upstream.mute.Store(true)
	defer s.upstream.mute.Store(false)
	if err := ask(ctx, client, base, q); err != nil {
		return fmt.Errorf("it does not answer from its cache: %w", err)
	}
	return nil
}

// freePort is one that nobody listens on now.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
