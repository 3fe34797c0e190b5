package main

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// server is what of Mattermost's API the plugin uses; every call is kept as a line.
type server struct {
	plugin.API
	lock   sync.Mutex
	config map[string]any
	values map[string][]byte
	calls  []string
	db     *database
}

func newServer() *server {
	return &server{config: map[string]any{"greeting": "Welcome"}, values: map[string][]byte{}, db: &database{}}
}

func (s *server) note(format string, args ...any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

// took gives the calls since the last time.
func (s *server) took() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *server) LoadPluginConfiguration(dest any) error {
	data, err := json.Marshal(s.config)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, dest)
}

func (s *server) RegisterCommand(command *model.Command) error {
	s.note("RegisterCommand %s %s %t", command.Trigger, command.DisplayName, command.AutoComplete)
	return nil
}

func (s *server) KVSet(key string, value []byte) *model.AppError {
	if key == "refused" {
		return model.NewAppError("KVSet", "app.plugin_store.save.app_error", nil, key, http.StatusInternalServerError)
	}
	s.note("KVSet %s=%s", key, value)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.values[key] = value
	return nil
}

func (s *server) KVGet(key string) ([]byte, *model.AppError) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.values[key], nil
}

func (s *server) GetUser(id string) (*model.User, *model.AppError) {
	if id != "user1" {
		return nil, model.NewAppError("GetUser", "app.user.missing_account.const", nil, id, http.StatusNotFound)
	}
	return &model.User{Id: id, Username: "ann", Roles: "system_user", Props: map[string]string{"a": "b"}}, nil
}

func (s *server) CreatePost(post *model.Post) (*model.Post, *model.AppError) {
	s.note("CreatePost %s %s: %s", post.UserId, post.ChannelId, post.Message)
	created := post.Clone()
	created.Id = "post1"
	created.CreateAt = 1_700_000_000_000
	return created, nil
}

func (s *server) PublishWebSocketEvent(event string, payload map[string]any, broadcast *model.WebsocketBroadcast) {
	s.note("PublishWebSocketEvent %s %v %s", event, payload, broadcast.UserId)
}

func (s *server) LogInfo(message string, pairs ...any) { s.note("LogInfo %s %v", message, pairs) }

// PluginHTTP stands for another plugin, which sends back what it gets.
func (s *server) PluginHTTP(request *http.Request) *http.Response {
	body, err := io.ReadAll(request.Body)
	s.note("PluginHTTP %s %s %d %v", request.Method, request.URL, len(body), err)
	return &http.Response{
		StatusCode: http.StatusAccepted,
		Header:     http.Header{"X-Other": {"yes"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
	}
}

// database is a driver with one answer.
type database struct {
	plugin.AppDriver
	lock  sync.Mutex
	row   int
	calls []string
}

func (d *database) note(format string, args ...any) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
}

func (d *database) ConnWithPluginID(isMaster bool, plugin string) (string, error) {
	d.note("Conn %t %s", isMaster, plugin)
	return "conn1", nil
}

func (d *database) ConnClose(conn string) error {
	d.note("ConnClose %s", conn)
	return nil
}

func (d *database) ConnQuery(conn, query string, args []driver.NamedValue) (string, error) {
	d.note("ConnQuery %s %s %v", conn, query, args[0].Value)
	if args[0].Value != "goplug" {
		return "", errors.New("unknown author")
	}
	return "rows1", nil
}

func (d *database) RowsColumns(string) []string { return []string{"Name", "Age"} }

func (d *database) RowsNext(_ string, dest []driver.Value) error {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.row++
	if d.row > 2 {
		return io.EOF
	}
	dest[0], dest[1] = fmt.Sprintf("plugin %d", d.row), int64(d.row)
	return nil
}

func (d *database) RowsClose(rows string) error {
	d.note("RowsClose %s", rows)
	return nil
}

func (d *database) ShutdownConns(plugin string) { d.note("ShutdownConns %s", plugin) }
