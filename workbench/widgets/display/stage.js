// What a picture stands on: renderer, lights, camera and its views. Holds the graphics card's memory and gives it back.

import * as THREE from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { ground } from "./colours.js";

const ANGLE = 38;
const GLIDE = 350;

export class Stage {
  constructor(canvas, onDraw) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true, powerPreference: "low-power" });
    // Asking for a shader's log waits until the driver has finished it.
    this.renderer.debug.checkShaderErrors = false;
    this.scene = new THREE.Scene();
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x8090a0, 2.1));
    this.lamp = new THREE.DirectionalLight(0xffffff, 1.6);
    this.scene.add(this.lamp);
    this.target = new THREE.Vector3();
    this.cameras = {
      perspective: new THREE.PerspectiveCamera(ANGLE, 1, 0.01, 300),
      orthographic: new THREE.OrthographicCamera(-1, 1, 1, -1, -200, 400),
    };
    this.camera = this.cameras.perspective;
    this.camera.position.set(5, 3.5, 7);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.zoomToCursor = false;
    this.controls.rotateSpeed = 0.8;
    this.groups = new Map();
    this.past = [];
    this.onDraw = onDraw;
    this.waiting = false;
    this.controls.addEventListener("change", () => this.ask());
    this.controls.addEventListener("start", () => {
      this.gliding = null;
      this.open();
    });
  }

  get half() {
    return Math.tan((ANGLE / 2) * (Math.PI / 180));
  }

  get distance() {
    return this.camera.position.distanceTo(this.controls.target);
  }

  /** Metres per pixel at the point looked at. */
  get grain() {
    const seen = this.camera.isOrthographicCamera ? 2 * this.half * this.span : 2 * this.half * this.distance;
    return (this.camera.isOrthographicCamera ? seen / this.camera.zoom : seen) / Math.max(this.height, 1);
  }

  get span() {
    return this.spanned ?? this.distance;
  }

  size(width, height, ratio) {
    [this.width, this.height] = [width, height];
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    this.shape();
    this.ask();
  }

  shape() {
    const aspect = this.width / Math.max(this.height, 1);
    this.cameras.perspective.aspect = aspect;
    const reach = this.half * this.span;
    Object.assign(this.cameras.orthographic, { left: -reach * aspect, right: reach * aspect, top: reach, bottom: -reach });
    for (const camera of Object.values(this.cameras)) camera.updateProjectionMatrix();
  }

  project(kind) {
    const camera = this.cameras[kind === "orthographic" ? "orthographic" : "perspective"];
    if (camera === this.camera) return;
    this.spanned = this.distance;
    camera.position.copy(this.camera.position);
    camera.up.copy(this.camera.up);
    camera.zoom = 1;
    this.camera = camera;
    this.controls.object = camera;
    this.shape();
    this.controls.update();
    this.ask();
  }

  /** Cuts away what is nearer to the camera than so many metres; by itself nothing is. */
  open(near = 0) {
    this.cameras.perspective.near = near || 0.01;
    this.cameras.orthographic.near = near || -200;
    this.shape();
  }

  /** Moves the camera to `from` looking at `to`, gently where the reader likes movement; then nothing nearer than `near` hides the sight. */
  look(from, to, gently, near = 0) {
    this.open();
    const [a, b] = [this.camera.position.clone(), new THREE.Vector3(...from)];
    const [c, d] = [this.controls.target.clone(), new THREE.Vector3(...to)];
    const begun = performance.now();
    const glide = {};
    this.gliding = glide;
    const step = () => {
      if (this.gliding !== glide || this.gone) return;
      const t = gently ? Math.min(1, (performance.now() - begun) / GLIDE) : 1;
      const s = t * t * (3 - 2 * t);
      this.controls.target.lerpVectors(c, d, s);
      const arm = a.clone().sub(c).lerp(b.clone().sub(d), s);
      const long = (1 - s) * a.distanceTo(c) + s * b.distanceTo(d);
      this.camera.position.copy(this.controls.target).add(arm.setLength(Math.max(long, 1e-3)));
      this.spanned = long;
      this.camera.zoom = 1;
      this.shape();
      this.controls.update();
      this.ask();
      if (t < 1) requestAnimationFrame(step);
      else if (near) this.open(near);
    };
    step();
  }

  /** Turns around the point looked at, or comes nearer. */
  turn(azimuth, elevation, nearer = 1) {
    this.open();
    const arm = this.camera.position.clone().sub(this.controls.target);
    const place = new THREE.Spherical().setFromVector3(arm);
    place.theta += azimuth;
    place.phi = Math.max(0.01, Math.min(Math.PI - 0.01, place.phi + elevation));
    if (this.camera.isOrthographicCamera) this.camera.zoom *= nearer;
    else place.radius /= nearer;
    this.camera.position.copy(this.controls.target).add(new THREE.Vector3().setFromSpherical(place));
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.ask();
  }

  /** Puts a group in the place of the one of the same name. */
  put(name, group) {
    const old = this.groups.get(name);
    if (old) {
      this.scene.remove(old);
      this.past.push(old);
    }
    this.groups.set(name, group);
    this.scene.add(group);
    this.ask(true);
  }

  /** Draws in the next frame; with `last` after all else of the page, which 3D would hold up where no graphics card draws it. */
  ask(last = false) {
    if (this.waiting || this.gone) return;
    this.waiting = true;
    const go = () => {
      this.waiting = false;
      if (!this.gone) this.draw();
    };
    // The frame after the one with all else: only then is that one on the screen.
    requestAnimationFrame(() => (last ? requestAnimationFrame(() => setTimeout(go)) : go()));
  }

  draw() {
    if (!this.width || !this.height) return;
    const scale = 1 / this.grain;
    this.scene.traverse((x) => {
      if (x.material?.isLineMaterial && x.material.dashed) x.material.dashScale = scale;
    });
    this.scene.background = new THREE.Color(ground(this.background).ground);
    this.lamp.position.copy(this.camera.position).add(this.camera.up.clone().multiplyScalar(0.4 * this.distance));
    this.renderer.render(this.scene, this.camera);
    // Only now, so that what came in its place could take over the shaders: they would be compiled again for every jet.
    for (const group of this.past.splice(0)) discard(group);
    this.onDraw();
  }

  /** Pixels of a point, and its depth; null where it is behind the camera. */
  pixel(x, y, z, into = new THREE.Vector3()) {
    into.set(x, y, z).project(this.camera);
    if (into.z > 1) return null;
    return [(0.5 + 0.5 * into.x) * this.width, (0.5 - 0.5 * into.y) * this.height, into.z];
  }

  /** The directions of x, y and z on the screen. */
  axes() {
    const inverse = this.camera.quaternion.clone().invert();
    return ["x", "y", "z"].map((name, i) => {
      const v = new THREE.Vector3().setComponent(i, 1).applyQuaternion(inverse);
      return { name, x: v.x, y: v.y };
    });
  }

  /** What lies under a point of the picture among the deposits and the cones, nearest first. */
  under(px, py, names) {
    const ray = new THREE.Raycaster();
    const at = new THREE.Vector2((2 * px) / this.width - 1, 1 - (2 * py) / this.height);
    ray.setFromCamera(at, this.camera);
    const seen = names.map((name) => this.groups.get(name)).filter((x) => x?.visible);
    return ray.intersectObjects(seen, true).filter((hit) => hit.object.userData.table);
  }

  /** The picture at a multiple of its size, as a canvas. */
  picture(times) {
    const most = this.renderer.capabilities.maxTextureSize / Math.max(this.width, this.height);
    const ratio = Math.min(times, most);
    const before = this.renderer.getPixelRatio();
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(this.width, this.height, false);
    this.draw();
    const made = document.createElement("canvas");
    made.width = Math.round(this.width * ratio);
    made.height = Math.round(this.height * ratio);
    made.getContext("2d").drawImage(this.renderer.domElement, 0, 0, made.width, made.height);
    this.renderer.setPixelRatio(before);
    this.renderer.setSize(this.width, this.height, false);
    this.draw();
    return { canvas: made, ratio };
  }

  close() {
    this.gone = true;
    this.controls.dispose();
    for (const group of [...this.past, ...this.groups.values()]) discard(group);
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}

function discard(group) {
  group.traverse((x) => {
    x.geometry?.dispose();
    x.material?.dispose?.();
    if (x.isInstancedMesh) x.dispose();
  });
}
